-- Every change of status that may happen; the trigger refuses any other, whoever asks.
create table invoice_status_edge (
    from_status invoice_status not null,
    to_status   invoice_status not null,
    constraint invoice_status_edge_pkey primary key (from_status, to_status)
);

insert into invoice_status_edge (from_status, to_status) values
    ('waiting_for_deposit', 'payment_confirmation'),
    ('waiting_for_deposit', 'partially_paid'),
    ('waiting_for_deposit', 'payment_accepted'),
    ('waiting_for_deposit', 'expired'),
    ('waiting_for_deposit', 'cancelled'),
    ('payment_confirmation', 'waiting_for_deposit'),
    ('payment_confirmation', 'partially_paid'),
    ('payment_confirmation', 'payment_accepted'),
    ('payment_confirmation', 'expired'),
    ('payment_confirmation', 'cancelled'),
    ('partially_paid', 'waiting_for_deposit'),
    ('partially_paid', 'payment_confirmation'),
    ('partially_paid', 'payment_accepted'),
    ('partially_paid', 'expired'),
    ('partially_paid', 'cancelled'),
    ('payment_accepted', 'finished'),
    ('payment_accepted', 'payment_confirmation'),
    ('payment_accepted', 'partially_paid'),
    ('payment_accepted', 'waiting_for_deposit'),
    ('expired', 'payment_confirmation'),
    ('expired', 'partially_paid'),
    ('expired', 'payment_accepted');

create function refuse_unknown_invoice_edge() returns trigger language plpgsql as $$
begin
    if new.status is distinct from old.status and not exists (
        select from invoice_status_edge where from_status = old.status and to_status = new.status
    ) then
        raise exception 'invoice % may not go from % to %', old.invoice_id, old.status, new.status
            using errcode = 'check_violation', constraint = 'invoice_status_edge';
    end if;
    return new;
end
$$;

create trigger invoice_status_edge before update of status on invoice
    for each row execute function refuse_unknown_invoice_edge();

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is an append-only log', tg_table_name using errcode = 'check_violation';
end
$$;

create trigger invoice_event_append_only before update or delete on invoice_event
    for each row execute function refuse_change();
create trigger merchant_credit_append_only before update or delete on merchant_credit
    for each row execute function refuse_change();
