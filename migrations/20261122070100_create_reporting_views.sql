-- What operators may look at with a tool of their own: docs/operators-data.md. The views name every column that is shown;
-- they run with the rights of their owner, so that their readers need none on the tables.

-- Digits after the point of the currencies that do not have two, by ISO 4217: the tables hold minor units, the views show
-- decimals.
create table currency_digits (
    currency text     not null,
    digits   smallint not null,
    constraint currency_digits_pkey primary key (currency),
    constraint currency_digits_digits_check check (digits between 0 and 4)
);

insert into currency_digits (currency, digits) values
    ('BHD', 3),
    ('BIF', 0),
    ('CLF', 4),
    ('CLP', 0),
    ('DJF', 0),
    ('GNF', 0),
    ('IQD', 3),
    ('ISK', 0),
    ('JOD', 3),
    ('JPY', 0),
    ('KMF', 0),
    ('KRW', 0),
    ('KWD', 3),
    ('LYD', 3),
    ('OMR', 3),
    ('PYG', 0),
    ('RWF', 0),
    ('TND', 3),
    ('UGX', 0),
    ('UYI', 0),
    ('UYW', 4),
    ('VND', 0),
    ('VUV', 0),
    ('XAF', 0),
    ('XOF', 0),
    ('XPF', 0);

create schema if not exists reporting;

-- Roles belong to the whole server: another database's migration may have made this one, before or at this very moment.
do $$
begin
    if not exists (select from pg_roles where rolname = 'perdura_reader') then
        create role perdura_reader nologin;
    end if;
exception
    when duplicate_object or unique_violation then
        null;
    when insufficient_privilege then
        raise exception using errcode = 'insufficient_privilege', message = format(
            '%s may not create the role perdura_reader: have an administrator of the database server run '
            '"create role perdura_reader nologin", then migrate again', current_user);
end
$$;

create view reporting.machines as
select m.machine_id, m.machine_uid, m.name, m.owner, m.created_at, t.transaction_id as open_transaction_id,
       t.status as open_status, t.door as open_door, t.created_at as open_since
from machine m
left join transaction t
    on t.machine_id = m.machine_id and t.status in ('requested', 'opening', 'open', 'closed');

create view reporting.users as
select user_id, frontend, bubble_id, email, created_at, updated_at
from "user";

create view reporting.transactions as
select t.transaction_id, t.sale_ref, t.machine_id, t.frontend, t.user_id, u.bubble_id, u.email, t.payment_intent_id,
       t.status, t.door,
       case jsonb_typeof(t.failure)
           when 'object' then (select min(kind) from jsonb_object_keys(t.failure) kind)
           else t.failure #>> '{}'
       end as failure,
       (t.failure #>> '{refused,code}')::bigint as failure_code,
       t.failure #>> '{refused,message}' as failure_message,
       t.currency,
       round(t.authorised / 10::numeric ^ coalesce(c.digits, 2), coalesce(c.digits, 2)) as authorised,
       round(t.due / 10::numeric ^ coalesce(c.digits, 2), coalesce(c.digits, 2)) as due,
       round(case when t.due > t.authorised then t.authorised else t.due end / 10::numeric ^ coalesce(c.digits, 2),
             coalesce(c.digits, 2)) as to_capture,
       round(t.reported_total / 10::numeric ^ coalesce(r.digits, 2), coalesce(r.digits, 2)) as reported_total,
       t.reported_currency, t.is_disputed, t.version, t.created_at, t.updated_at, t.opened_at, t.closed_at, t.ended_at
from transaction t
join "user" u on u.user_id = t.user_id
left join currency_digits c on c.currency = t.currency
left join currency_digits r on r.currency = t.reported_currency;

create view reporting.events as
select e.event_id, e.sequence, e.transaction_id, e.machine_id, coalesce(e.frontend, t.frontend) as frontend,
       coalesce(e.bubble_id, u.bubble_id) as bubble_id, e.direction, e.name, e.status, e.code, e.message, e.duplicate,
       e.at, e.recorded_at
from event e
left join transaction t on t.transaction_id = e.transaction_id
left join "user" u on u.user_id = t.user_id;

create view reporting.products_sold as
select t.transaction_id, t.machine_id, t.frontend, t.user_id, t.ended_at as sold_at, p.vpn, p.name, p.quantity,
       t.currency,
       round(p.unit_price / 10::numeric ^ coalesce(c.digits, 2), coalesce(c.digits, 2)) as unit_price,
       round(p.unit_price * p.quantity / 10::numeric ^ coalesce(c.digits, 2), coalesce(c.digits, 2)) as amount,
       t.is_disputed
from transaction t
cross join lateral jsonb_to_recordset(t.products) as p (vpn text, name text, unit_price numeric, quantity bigint)
left join currency_digits c on c.currency = t.currency
where t.status = 'completed';

revoke all on schema reporting from public;
grant usage on schema reporting to perdura_reader;
grant select on reporting.machines, reporting.users, reporting.transactions, reporting.events, reporting.products_sold
    to perdura_reader;
