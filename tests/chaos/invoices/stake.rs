//! A payment that Temporal was not told of when the worker died, for certain.

use std::sync::{Mutex, PoisonError};

use serde_json::json;
use sqlx::query_scalar;
use system_tests::eventually;
use uuid::Uuid;

use super::{
    Invoices,
    load::LONG_SECONDS,
    memory::{Asked, Known},
    plots::{COINS, Share},
};

/// Whose invoice it is.
const MERCHANT: usize = 0;

/// The invoice that is to be paid while Temporal is away, and its address.
#[derive(Default)]
pub(super) struct Stake(Mutex<Option<(Uuid, String)>>);

/// A worker has the notice in hand: what was reported is kept, and nothing waits to be taken.
const IN_HAND: &str = "select exists (select from invoice_transaction where invoice_id = $1)
    and not exists (select from deposit_notice where invoice_id = $1)";

/// The merchant has an invoice that nobody pays for now.
pub(super) async fn lay(invoices: &Invoices) {
    let coin = &COINS[0];
    let key = format!("stake {}", Uuid::new_v4());
    let request = json!({
        "coin_id": coin.coin_id, "network_id": coin.network_id, "amount": coin.amount(Share::Due), "title": "At stake",
        "external_id": key, "expires_in_seconds": LONG_SECONDS,
    });
    let asked = Asked { path: "/invoices".to_owned(), key, request };
    let answer = invoices.insist(MERCHANT, &asked.path, &asked.key, &asked.request).await.expect("an answer").body;
    let known = Known {
        merchant: MERCHANT,
        asked,
        created: answer.clone(),
        answer,
        is_short: false,
        cancellation: None,
        is_accepted_late: false,
        version_read: 1,
    };
    let invoice_id = known.text("invoice_id").parse().expect("the id of an invoice");
    let address = known.text("deposit_address").to_owned();
    invoices.memory.remember(invoice_id, known);
    invoices.stake.put(invoice_id, address);
}

/// The buyer pays, and a worker takes the notice of it to tell Temporal.
pub(super) async fn risk(invoices: &Invoices) {
    let (invoice_id, address) = invoices.stake.take().expect("a stake that was laid");
    invoices.pay_for_good(&COINS[0], Share::Due, &address).await;
    let is_in_hand = || async {
        let looked = query_scalar(IN_HAND).bind(invoice_id).fetch_one(&invoices.database).await;
        looked.expect("the database")
    };
    eventually("a worker that took the notice of a payment", is_in_hand, |in_hand| *in_hand).await;
}

impl Stake {
    fn put(&self, invoice_id: Uuid, address: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((invoice_id, address));
    }

    fn take(&self) -> Option<(Uuid, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
