-- What the foundation left open: confirmations by amount, late money, what all reports of an output say together, money
-- of nobody, forms. Nothing was released before this: it expands and contracts at once.

-- An invoice over at least from_amount base units needs this many confirmations; below the lowest tier the network's number.
create table confirmation_tier (
    coin_id       text           not null,
    network_id    text           not null,
    from_amount   numeric(78, 0) not null,
    confirmations integer        not null,
    constraint confirmation_tier_pkey primary key (coin_id, network_id, from_amount),
    constraint confirmation_tier_payment_option_fkey foreign key (coin_id, network_id)
        references payment_option (coin_id, network_id),
    constraint confirmation_tier_from_amount_check check (from_amount > 0),
    constraint confirmation_tier_confirmations_check check (confirmations > 0)
);

-- About 1,000 and 50,000 US dollars; the networks' own numbers are 3, 12 and 19.
insert into confirmation_tier (coin_id, network_id, from_amount, confirmations) values
    ('btc', 'bitcoin', 100000000, 6),
    ('eth', 'ethereum', 20000000000000000000, 32),
    ('usdt', 'ethereum', 50000000000, 32),
    ('usdc', 'ethereum', 50000000000, 32);

-- late: base units of the invoice's own asset that came after its time. What the merchant accepts counts as in time:
-- all that was first seen before late_accepted_at.
-- Each of many outputs may have 78 digits.
alter table invoice
    alter column seen type numeric(96, 0),
    alter column confirmed type numeric(96, 0);
alter table invoice_event
    alter column seen type numeric(96, 0),
    alter column confirmed type numeric(96, 0);
alter table invoice
    add column form_id          uuid,
    add column late             numeric(96, 0) not null default 0,
    add column late_accepted_at timestamptz;
create index invoice_merchant_id_status_idx on invoice (merchant_id, status, created_at desc, invoice_id desc);

alter table invoice_event add column late numeric(96, 0) not null default 0;

-- state is what all reports say together, reported what the newest one says; final_version and lost_version are the newest
-- reports that said final, and that its block or the whole transaction is gone. ambiguous_with: the expired, unpaid
-- invoice that had this address before and asked for just this amount.
alter table invoice_transaction
    add column reported       text,
    add column final_version  bigint,
    add column lost_version   bigint,
    add column ambiguous_with uuid,
    add constraint invoice_transaction_reported_check
        check (reported in ('seen', 'included', 'final', 'orphaned', 'replaced')),
    add constraint invoice_transaction_ambiguous_with_fkey foreign key (ambiguous_with) references invoice (invoice_id);
update invoice_transaction set reported = state,
    final_version = case when state = 'final' then observed_version end,
    lost_version = case when state in ('orphaned', 'replaced') then observed_version end;
alter table invoice_transaction alter column reported set not null;
create index invoice_transaction_unmatched_idx on invoice_transaction (created_at desc, transaction_id desc)
    where invoice_id is null;
create index invoice_transaction_ambiguous_idx on invoice_transaction (created_at desc, transaction_id desc)
    where ambiguous_with is not null;

-- Which operator gave money without an invoice to which one, and why. answered_*: what the answer said that later
-- reports change.
create table deposit_attachment (
    transaction_id         uuid        not null,
    invoice_id             uuid        not null,
    cause                  text        not null,
    actor                  text        not null,
    reason                 text        not null,
    fingerprint            text        not null,
    attached_at            timestamptz not null,
    answered_state         text        not null,
    answered_block_height  bigint,
    answered_tip_height    bigint      not null,
    answered_first_seen_at timestamptz not null,
    constraint deposit_attachment_pkey primary key (transaction_id),
    constraint deposit_attachment_transaction_id_fkey foreign key (transaction_id)
        references invoice_transaction (transaction_id),
    constraint deposit_attachment_invoice_id_fkey foreign key (invoice_id) references invoice (invoice_id)
);
create trigger deposit_attachment_append_only before update or delete on deposit_attachment
    for each row execute function refuse_change();

-- Forms as in the source: what is null is for the buyer to fill. amount is a plain decimal of whatever coin it will be.
-- fields_version changes with what a buyer is shown, version with everything.
create table invoice_form (
    form_id            uuid        not null,
    merchant_id        uuid        not null,
    coin_id            text,
    network_id         text,
    amount             numeric,
    title              text        not null default '',
    description        text        not null default '',
    checkout_url       text        not null default '',
    enabled            boolean     not null default true,
    max_uses           bigint,
    expires_in_seconds bigint      not null,
    fingerprint        text        not null,
    version            bigint      not null default 1,
    fields_version     bigint      not null default 1,
    created_at         timestamptz not null,
    updated_at         timestamptz not null,
    deleted_at         timestamptz,
    constraint invoice_form_pkey primary key (form_id),
    constraint invoice_form_coin_id_fkey foreign key (coin_id) references coin (coin_id),
    constraint invoice_form_network_id_fkey foreign key (network_id) references network (network_id),
    constraint invoice_form_amount_check check (amount > 0),
    constraint invoice_form_max_uses_check check (max_uses > 0),
    constraint invoice_form_expires_in_seconds_check check (expires_in_seconds between 1 and 2592000)
);
create index invoice_form_merchant_id_created_at_idx on invoice_form (merchant_id, created_at desc, form_id desc);
alter table invoice add constraint invoice_form_id_fkey foreign key (form_id) references invoice_form (form_id);

-- A buyer's turn at a form, taken before its invoice is asked for; it counts as a use when the invoice exists, and
-- before that as long as its run may still make it. filled: the fields that the form left to him.
create table form_submission (
    invoice_id uuid        not null,
    form_id    uuid        not null,
    filled     text[]      not null,
    taken_at   timestamptz not null,
    constraint form_submission_pkey primary key (invoice_id),
    constraint form_submission_form_id_fkey foreign key (form_id) references invoice_form (form_id)
);
create index form_submission_form_id_idx on form_submission (form_id, taken_at);
