-- Fridge sales as in source 003: machine, user, transaction and event, and what the operators were told.

-- machine_id is ours and in every path, machine_uid is Vendron's: two of ours on one of theirs would be two sales on one
-- door.
create table machine (
    machine_id  text        not null,
    machine_uid text        not null,
    name        text        not null,
    owner       text        not null,
    created_at  timestamptz not null default now(),
    constraint machine_pkey primary key (machine_id),
    constraint machine_machine_uid_key unique (machine_uid)
);

-- bubble_id is the user's id at the frontend, email his address as the latest sale had it.
create table "user" (
    user_id    uuid        not null,
    frontend   text        not null,
    bubble_id  text        not null,
    email      text        not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint user_pkey primary key (user_id),
    constraint user_frontend_bubble_id_key unique (frontend, bubble_id)
);
create index user_frontend_email_idx on "user" (frontend, lower(email));

-- One sale or attempt at one. user_sent and stripe are json, not jsonb: kept letter by letter. Amounts are in the minor
-- unit of their currency, and so are the prices in products. due is what the buyer owes, reported_total what Vendron says.
create table transaction (
    transaction_id    uuid        not null,
    sale_ref          uuid        not null,
    machine_id        text        not null,
    user_id           uuid        not null,
    frontend          text        not null,
    user_sent         json        not null,
    stripe            json        not null,
    payment_intent_id text,
    authorised        bigint      not null,
    currency          text        not null,
    fingerprint       text        not null,
    status            text        not null,
    door              text        not null default 'unknown',
    failure           jsonb,
    session           text,
    was_requested     boolean     not null default false,
    was_unlocked      boolean     not null default false,
    products          jsonb       not null default '[]',
    reported_total    bigint,
    reported_currency text,
    due               bigint,
    is_disputed       boolean     not null default false,
    version           bigint      not null default 1,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    opened_at         timestamptz,
    closed_at         timestamptz,
    ended_at          timestamptz,
    constraint transaction_pkey primary key (transaction_id),
    constraint transaction_sale_ref_key unique (sale_ref),
    constraint transaction_machine_id_fkey foreign key (machine_id) references machine (machine_id),
    constraint transaction_user_id_fkey foreign key (user_id) references "user" (user_id),
    constraint transaction_status_check check (status in
        ('requested', 'opening', 'open', 'closed', 'completed', 'empty', 'failed', 'unresolved')),
    constraint transaction_door_check check (door in ('unknown', 'open', 'closed')),
    constraint transaction_authorised_check check (authorised >= 0),
    constraint transaction_currency_check check (currency ~ '^[A-Z]{3}$' and reported_currency ~ '^[A-Z]{3}$'),
    constraint transaction_reported_total_check check ((reported_total is null) = (reported_currency is null)),
    constraint transaction_products_check check (jsonb_typeof(products) = 'array'),
    constraint transaction_failure_check check ((failure is not null) = (status = 'failed')),
    constraint transaction_due_check check (due is null or status in ('completed', 'empty')),
    constraint transaction_ended_at_check check
        ((ended_at is not null) = (status in ('completed', 'empty', 'failed', 'unresolved')))
);
-- Never two open sales on one machine.
create unique index transaction_open_machine_key on transaction (machine_id)
    where status in ('requested', 'opening', 'open', 'closed');
-- Searches read each of these backwards from where the last page ended.
create index transaction_frontend_created_at_idx on transaction (frontend, created_at desc, transaction_id desc);
create index transaction_frontend_status_idx on transaction (frontend, status, created_at desc, transaction_id desc);
create index transaction_machine_id_idx on transaction (machine_id, frontend, created_at desc, transaction_id desc);
create index transaction_user_id_idx on transaction (user_id, created_at desc, transaction_id desc);

-- Every change of status that may happen; the trigger refuses any other, whoever asks.
create table transaction_status_edge (
    from_status text not null,
    to_status   text not null,
    constraint transaction_status_edge_pkey primary key (from_status, to_status)
);

-- Frames come late and in any order, so that a sale may skip what it did not hear of.
insert into transaction_status_edge (from_status, to_status) values
    ('requested', 'opening'),
    ('requested', 'open'),
    ('requested', 'closed'),
    ('requested', 'completed'),
    ('requested', 'empty'),
    ('requested', 'failed'),
    ('requested', 'unresolved'),
    ('opening', 'open'),
    ('opening', 'closed'),
    ('opening', 'completed'),
    ('opening', 'empty'),
    ('opening', 'failed'),
    ('opening', 'unresolved'),
    ('open', 'closed'),
    ('open', 'completed'),
    ('open', 'empty'),
    ('open', 'unresolved'),
    ('closed', 'completed'),
    ('closed', 'empty'),
    ('closed', 'unresolved'),
    ('unresolved', 'completed'),
    ('unresolved', 'empty');

create function refuse_unknown_transaction_edge() returns trigger language plpgsql as $$
begin
    if new.status is distinct from old.status and not exists (
        select from transaction_status_edge where from_status = old.status and to_status = new.status
    ) then
        raise exception 'transaction % may not go from % to %', old.transaction_id, old.status, new.status
            using errcode = 'check_violation', constraint = 'transaction_status_edge';
    end if;
    return new;
end
$$;

create trigger transaction_status_edge before update of status on transaction
    for each row execute function refuse_unknown_transaction_edge();

-- What was sent, received and noted, in the order of arrival. transaction_id is null for a question how a machine is:
-- there frontend, bubble_id and code say who asked, for whom, and which code came back. fact is what it means for the
-- sale. duplicate: the same frame came before on this socket.
create table event (
    event_id       uuid        not null,
    sequence       bigint      generated always as identity,
    transaction_id uuid,
    machine_id     text        not null,
    frontend       text,
    bubble_id      text,
    socket_id      uuid,
    direction      text        not null,
    name           text        not null,
    status         text,
    code           bigint,
    message        text        not null,
    raw            text        not null default '',
    fact           jsonb,
    duplicate      boolean     not null default false,
    at             timestamptz not null,
    recorded_at    timestamptz not null default now(),
    constraint event_pkey primary key (event_id),
    constraint event_transaction_id_fkey foreign key (transaction_id) references transaction (transaction_id),
    constraint event_machine_id_fkey foreign key (machine_id) references machine (machine_id),
    constraint event_direction_check check (direction in ('sent', 'received', 'noted')),
    constraint event_origin_check check ((transaction_id is null) = (frontend is not null))
);
create index event_transaction_id_idx on event (transaction_id, sequence);
create index event_machine_id_idx on event (machine_id, at desc) where transaction_id is null;

create trigger event_append_only before update or delete on event
    for each row execute function refuse_change();

-- to_send: this one is for the operators' channel; the others had one like it just before. suppressed_before: how many of
-- those there were since the last one that was told.
create table alert (
    alert_id          uuid        not null,
    sequence          bigint      generated always as identity,
    kind              text        not null,
    subject           text        not null,
    text              text        not null,
    asked_at          timestamptz not null,
    to_send           boolean     not null,
    suppressed_before bigint      not null,
    sent_at           timestamptz,
    recorded_at       timestamptz not null default now(),
    constraint alert_pkey primary key (alert_id),
    constraint alert_sent_at_check check (to_send or sent_at is null)
);
create index alert_kind_subject_idx on alert (kind, subject, sequence);
