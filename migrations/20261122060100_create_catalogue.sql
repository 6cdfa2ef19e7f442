-- Coins and networks that invoices can be paid in. New ones are rows, not code.
create table network (
    network_id    text    not null,
    name          text    not null,
    confirmations integer not null,
    constraint network_pkey primary key (network_id),
    constraint network_confirmations_check check (confirmations > 0)
);

create table coin (
    coin_id text not null,
    name    text not null,
    constraint coin_pkey primary key (coin_id)
);

-- decimals and minimum are those of this coin on this network; minimum is in base units.
create table payment_option (
    coin_id    text           not null,
    network_id text           not null,
    decimals   smallint       not null,
    contract   text,
    minimum    numeric(78, 0) not null default 1,
    available  boolean        not null default true,
    constraint payment_option_pkey primary key (coin_id, network_id),
    constraint payment_option_coin_id_fkey foreign key (coin_id) references coin (coin_id),
    constraint payment_option_network_id_fkey foreign key (network_id) references network (network_id),
    constraint payment_option_decimals_check check (decimals between 0 and 30),
    constraint payment_option_minimum_check check (minimum > 0)
);

insert into network (network_id, name, confirmations) values
    ('bitcoin', 'Bitcoin', 3),
    ('ethereum', 'Ethereum', 12),
    ('tron', 'Tron', 19);

insert into coin (coin_id, name) values
    ('btc', 'Bitcoin'),
    ('eth', 'Ether'),
    ('usdc', 'USD Coin'),
    ('usdt', 'Tether USD');

insert into payment_option (coin_id, network_id, decimals, contract) values
    ('btc', 'bitcoin', 8, null),
    ('eth', 'ethereum', 18, null),
    ('usdt', 'ethereum', 6, '0xdAC17F958D2ee523a2206206994597C13D831ec7'),
    ('usdc', 'ethereum', 6, '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'),
    ('usdt', 'tron', 6, 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t');
