mod connection;
mod frames;
mod mutations;
mod notifications;
mod quirks;
mod tls;

use workflows::domain::{Currency, Money};

use super::*;

const TOKEN: &str = "a-very-secret-token";

/// None of these ends a test that goes well.
fn limits() -> Limits {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    Limits { connect: minutes(1), ping: minutes(1), idle: minutes(2), frame: 64 * 1024 }
}

fn order() -> Order {
    let amount = Money { minor: 5000, currency: Currency::parse("EUR").unwrap() };
    Order { machine_uid: "VM-0001".to_owned(), payment_detail: "user:7_transaction:8".to_owned(), amount }
}

fn words(text: &str) -> String {
    text.to_owned()
}

fn sold(vpn: &str, name: &str, unit_price: &str) -> SoldProduct {
    SoldProduct { vpn: words(vpn), name: words(name), unit_price: Some(words(unit_price)) }
}
