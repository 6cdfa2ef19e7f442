-- Keys that callers of the API present. Only the hash is kept.
create table api_key (
    key_id     uuid        not null,
    key_hash   bytea       not null,
    principal  text        not null,
    scopes     text[]      not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    constraint api_key_pkey primary key (key_id),
    constraint api_key_key_hash_key unique (key_hash)
);
