-- Gifts as in source 004, with what it leaves open: who used which, what became of every attempt, and PINs that cannot be
-- guessed. Numbers of suppliers and accounts are unique among both together: the import sees to that.
create table suppliers (
    supplier_code       text        not null,
    supplier_invoice_no text        not null,
    name                text        not null,
    created_at          timestamptz not null default now(),
    constraint suppliers_pkey primary key (supplier_code),
    constraint suppliers_supplier_invoice_no_key unique (supplier_invoice_no)
);

-- Only the hash of a PIN is kept; without one no PIN fits.
create table supplier_accounts (
    account_id                   uuid        not null,
    supplier_code                text        not null,
    supplier_account_invoice_no  text        not null,
    supplier_account_secret_hash text,
    created_at                   timestamptz not null default now(),
    constraint supplier_accounts_pkey primary key (account_id),
    constraint supplier_accounts_supplier_account_invoice_no_key unique (supplier_account_invoice_no),
    constraint supplier_accounts_supplier_code_fkey foreign key (supplier_code) references suppliers (supplier_code)
);
create index supplier_accounts_supplier_code_idx on supplier_accounts (supplier_code, supplier_account_invoice_no);

-- gift_status: 0 active, 1 used, 2 switched off. Without a supplier_code any supplier may take the gift. Used at valid_to is
-- too late.
create table gift_codes (
    gift_id            text        not null,
    gift_status        smallint    not null default 0,
    gift_used_datetime timestamptz,
    valid_from         timestamptz not null,
    valid_to           timestamptz not null,
    supplier_code      text,
    redemption_id      uuid,
    created_at         timestamptz not null default now(),
    constraint gift_codes_pkey primary key (gift_id),
    constraint gift_codes_supplier_code_fkey foreign key (supplier_code) references suppliers (supplier_code),
    constraint gift_codes_gift_id_check check (char_length(gift_id) between 1 and 64),
    constraint gift_codes_gift_status_check check (gift_status in (0, 1, 2)),
    constraint gift_codes_validity_check check (valid_from < valid_to),
    constraint gift_codes_use_check check (
        case gift_status
            when 0 then gift_used_datetime is null and redemption_id is null
            when 1 then gift_used_datetime is not null and redemption_id is not null
            else true
        end)
);

-- Every decided request to use a gift, refused ones too: a repeat is answered from here. gift_id is what the request said,
-- and may be no gift.
create table gift_redemption (
    redemption_id    uuid        not null,
    gift_id          text        not null,
    supplier_code    text        not null,
    supplier_account text        not null,
    device           text        not null,
    fingerprint      text        not null,
    result           text        not null,
    used_at          timestamptz,
    voidable_until   timestamptz,
    voided_at        timestamptz,
    void_id          uuid,
    decided_at       timestamptz not null,
    constraint gift_redemption_pkey primary key (redemption_id),
    constraint gift_redemption_void_id_key unique (void_id),
    constraint gift_redemption_result_check check (result in
        ('used', 'gift_not_found', 'gift_not_active', 'gift_not_yet_valid', 'gift_expired', 'gift_already_used',
         'supplier_mismatch')),
    constraint gift_redemption_use_check check (
        (result = 'used') = (used_at is not null) and (result = 'used') = (voidable_until is not null)),
    constraint gift_redemption_void_check check (
        (voided_at is null) = (void_id is null) and (voided_at is null or voided_at < voidable_until))
);
-- Never two redemptions of one gift.
create unique index gift_redemption_active_key on gift_redemption (gift_id) where result = 'used' and voided_at is null;

-- Every decided request to undo a redemption.
create table gift_void (
    void_id       uuid        not null,
    gift_id       text        not null,
    redemption_id uuid,
    device        text        not null,
    reason        text        not null,
    fingerprint   text        not null,
    result        text        not null,
    decided_at    timestamptz not null,
    constraint gift_void_pkey primary key (void_id),
    constraint gift_void_redemption_id_fkey foreign key (redemption_id) references gift_redemption (redemption_id),
    constraint gift_void_result_check check (result in
        ('voided', 'gift_not_found', 'gift_not_used', 'redeemed_elsewhere', 'void_window_over')),
    constraint gift_void_redemption_id_check check (result <> 'voided' or redemption_id is not null)
);

-- The log of every attempt at a gift, also of those that were refused before anybody looked for the gift. Nothing of a PIN.
create table gift_audit (
    audit_id         bigint      generated always as identity,
    at               timestamptz not null default clock_timestamp(),
    attempt          text        not null,
    gift_id          text        not null,
    supplier_code    text        not null,
    supplier_account text,
    device           text        not null,
    result           text        not null,
    redemption_id    uuid,
    constraint gift_audit_pkey primary key (audit_id),
    constraint gift_audit_attempt_check check (attempt in ('use', 'void'))
);
create index gift_audit_gift_id_idx on gift_audit (gift_id, at desc);

create trigger gift_audit_append_only before update or delete on gift_audit
    for each row execute function refuse_change();

-- Wrong PINs of a device, an account or a supplier. undecided are the times at which attempts began whose outcome nobody
-- has told yet; each of them holds one of the tries.
create table pin_guard (
    subject      text          not null,
    wrong        integer       not null default 0,
    undecided    timestamptz[] not null default '{}',
    locks        integer       not null default 0,
    locked_until timestamptz,
    constraint pin_guard_pkey primary key (subject),
    constraint pin_guard_counts_check check (wrong >= 0 and locks >= 0)
);
