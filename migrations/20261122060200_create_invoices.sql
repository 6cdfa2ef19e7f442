-- Invoices as in source 002, with what it leaves open: addresses as intervals, deposits, events, credits.
create type invoice_status as enum (
    'waiting_for_deposit',
    'payment_confirmation',
    'partially_paid',
    'payment_accepted',
    'finished',
    'expired',
    'cancelled'
);

-- available_at is when the address may serve an invoice again: 'infinity' while it does.
create table deposit_address (
    address_id   uuid        not null,
    network_id   text        not null,
    address      text        not null,
    user_id      uuid        not null,
    available_at timestamptz not null,
    created_at   timestamptz not null default now(),
    constraint deposit_address_pkey primary key (address_id),
    constraint deposit_address_network_id_address_key unique (network_id, address),
    constraint deposit_address_network_id_fkey foreign key (network_id) references network (network_id)
);
create index deposit_address_user_id_network_id_ix on deposit_address (user_id, network_id, available_at);
-- Watchers write the addresses of some networks in another case than the address service.
create index deposit_address_lower_address_idx on deposit_address (network_id, lower(address));

-- amount, seen and confirmed are in base units; version is the number of the last event.
create table invoice (
    invoice_id         uuid           not null,
    merchant_id        uuid           not null,
    coin_id            text           not null,
    network_id         text           not null,
    deposit_address_id uuid           not null,
    amount             numeric(78, 0) not null,
    decimals           smallint       not null,
    contract           text,
    title              text           not null default '',
    description        text           not null default '',
    checkout_url       text           not null default '',
    external_id        text,
    status             invoice_status not null,
    exception          text           not null default 'none',
    seen               numeric(78, 0) not null default 0,
    confirmed          numeric(78, 0) not null default 0,
    version            bigint         not null default 1,
    deposit_revision   bigint         not null default 0,
    policy             jsonb          not null,
    fingerprint        text           not null,
    created_at         timestamptz    not null,
    updated_at         timestamptz    not null,
    expires_at         timestamptz    not null,
    ended_at           timestamptz,
    constraint invoice_pkey primary key (invoice_id),
    constraint invoice_merchant_id_external_id_key unique (merchant_id, external_id),
    constraint invoice_payment_option_fkey foreign key (coin_id, network_id) references payment_option (coin_id, network_id),
    constraint invoice_deposit_address_id_fkey foreign key (deposit_address_id) references deposit_address (address_id),
    constraint invoice_amount_check check (amount > 0),
    constraint invoice_exception_check check (exception in
        ('none', 'paid_partial', 'paid_over', 'paid_late', 'paid_after_cancel', 'wrong_asset', 'reorged')),
    constraint invoice_sums_check check (confirmed between 0 and seen)
);
create index invoice_merchant_id_created_at_idx on invoice (merchant_id, created_at desc, invoice_id desc);

-- Who had an address when. Open until the monitoring is over.
create table address_assignment (
    address_id     uuid        not null,
    invoice_id     uuid        not null,
    assigned_at    timestamptz not null,
    released_at    timestamptz,
    cooldown_until timestamptz,
    constraint address_assignment_pkey primary key (invoice_id),
    constraint address_assignment_address_id_fkey foreign key (address_id) references deposit_address (address_id),
    constraint address_assignment_invoice_id_fkey foreign key (invoice_id) references invoice (invoice_id)
);
-- Never two active invoices on one address.
create unique index address_assignment_open_key on address_assignment (address_id) where released_at is null;
create index address_assignment_address_id_idx on address_assignment (address_id, assigned_at desc);

-- One output of one transaction. invoice_id is null while nobody knows whose money it is.
create table invoice_transaction (
    transaction_id   uuid           not null,
    invoice_id       uuid,
    network_id       text           not null,
    address          text           not null,
    tx_id            text           not null,
    output_ref       text           not null,
    coin_id          text           not null,
    contract         text,
    amount           numeric(78, 0) not null,
    decimals         smallint       not null,
    right_asset      boolean        not null,
    state            text           not null,
    block_height     bigint,
    block_hash       text,
    tip_height       bigint         not null,
    first_seen_at    timestamptz    not null,
    observed_version bigint         not null,
    created_at       timestamptz    not null default now(),
    updated_at       timestamptz    not null default now(),
    constraint invoice_transaction_pkey primary key (transaction_id),
    constraint invoice_transaction_identity_key unique (network_id, tx_id, output_ref),
    constraint invoice_transaction_invoice_id_fkey foreign key (invoice_id) references invoice (invoice_id),
    constraint invoice_transaction_state_check check (state in ('seen', 'included', 'final', 'orphaned', 'replaced')),
    constraint invoice_transaction_amount_check check (amount >= 0)
);
create index invoice_transaction_invoice_id_idx on invoice_transaction (invoice_id, first_seen_at);

-- The log of every change that a reader can see; from_status is null for the first.
create table invoice_event (
    invoice_id  uuid           not null,
    sequence    bigint         not null,
    at          timestamptz    not null,
    from_status invoice_status,
    to_status   invoice_status not null,
    exception   text           not null,
    seen        numeric(78, 0) not null,
    confirmed   numeric(78, 0) not null,
    cause       text           not null,
    actor       text           not null,
    evidence    jsonb          not null default '{}',
    fingerprint text,
    constraint invoice_event_pkey primary key (invoice_id, sequence),
    constraint invoice_event_invoice_id_fkey foreign key (invoice_id) references invoice (invoice_id)
);

create index invoice_event_invoice_id_cause_idx on invoice_event (invoice_id, cause);

-- What the merchant got: one row for each confirmed output, once.
create table merchant_credit (
    credit_id      uuid           not null,
    merchant_id    uuid           not null,
    invoice_id     uuid           not null,
    transaction_id uuid           not null,
    coin_id        text           not null,
    network_id     text           not null,
    amount         numeric(78, 0) not null,
    decimals       smallint       not null,
    credited_at    timestamptz    not null,
    constraint merchant_credit_pkey primary key (credit_id),
    constraint merchant_credit_transaction_id_key unique (transaction_id),
    constraint merchant_credit_invoice_id_fkey foreign key (invoice_id) references invoice (invoice_id),
    constraint merchant_credit_transaction_id_fkey foreign key (transaction_id) references invoice_transaction (transaction_id)
);
create index merchant_credit_merchant_id_idx on merchant_credit (merchant_id, credited_at desc);

-- What the relay has yet to tell a workflow: at most one row for each invoice.
create table deposit_notice (
    invoice_id uuid        not null,
    revision   bigint      not null,
    due_at     timestamptz not null,
    attempts   integer     not null default 0,
    constraint deposit_notice_pkey primary key (invoice_id),
    constraint deposit_notice_invoice_id_fkey foreign key (invoice_id) references invoice (invoice_id)
);
create index deposit_notice_due_at_idx on deposit_notice (due_at);
