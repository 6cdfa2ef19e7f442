//! What was acknowledged is there, unchanged, the merchant's own, and is answered the same again.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use serde_json::Value;
use uuid::Uuid;

use super::super::{Invoices, load, memory::Known};
use crate::violation::Violation;

const AT_ONCE: usize = 8;
/// Everything of an invoice that never changes.
const FIXED: [&str; 11] = [
    "invoice_id",
    "coin_id",
    "network_id",
    "amount",
    "deposit_address",
    "title",
    "description",
    "checkout_url",
    "external_id",
    "expires_at",
    "created_at",
];

pub(super) async fn check(invoices: &Invoices, known: &BTreeMap<Uuid, Known>) -> Vec<Violation> {
    stream::iter(known).for_each_concurrent(AT_ONCE, |(id, known)| repeat_all(invoices, *id, known)).await;
    let mut violations = Vec::new();
    for merchant in 0..invoices.merchants.len() {
        let own = known.iter().filter(|(_, known)| known.merchant == merchant).collect();
        let listed = list(invoices, merchant).await;
        violations.extend(compare(merchant, &own, &listed));
    }
    violations
}

/// Every key once more; what is answered differently is noted.
async fn repeat_all(invoices: &Invoices, invoice_id: Uuid, known: &Known) {
    load::repeat(invoices, known).await;
    let Some(cancellation) = &known.cancellation else { return };
    let path = format!("/invoices/{invoice_id}/cancel");
    let body = load::cancel_request();
    let Some(again) = invoices.insist(known.merchant, &path, &cancellation.key, &body).await else { return };
    let first = &cancellation.answer;
    let same_success = !first.status.is_success() || again.body == first.body;
    if again.status != first.status || !same_success {
        invoices.memory.note(format!("the cancellation of {invoice_id} was answered {first:?} and then {again:?}"));
    }
}

async fn list(invoices: &Invoices, merchant: usize) -> Vec<Value> {
    let (mut items, mut path) = (Vec::new(), "/invoices?limit=100".to_owned());
    while let Some(page) = invoices.read(merchant, &path).await {
        items.extend(page.body["items"].as_array().cloned().unwrap_or_default());
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        path = format!("/invoices?limit=100&cursor={cursor}");
    }
    items
}

fn compare(merchant: usize, own: &BTreeMap<&Uuid, &Known>, listed: &[Value]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut left: BTreeSet<_> = own.keys().map(ToString::to_string).collect();
    for item in listed {
        let id = item["invoice_id"].as_str().unwrap_or_default();
        let known = id.parse().ok().and_then(|id: Uuid| own.get(&id));
        match known.filter(|_| left.remove(id)) {
            Some(known) => violations.extend(differences(id, known, item)),
            None => {
                violations.push(format!("the list of merchant {merchant} shows {id}, which it did not create once"));
            }
        }
    }
    violations.extend(left.iter().map(|id| format!("invoice {id} was acknowledged and is not in its merchant's list")));
    violations.into_iter().map(Violation::new).collect()
}

fn differences(id: &str, known: &Known, item: &Value) -> Vec<String> {
    let changed = FIXED.iter().filter(|field| known.created[**field] != item[**field]);
    let mut sentences: Vec<_> = changed
        .map(|field| format!("{field} of invoice {id} was {} and is {}", known.created[*field], item[*field]))
        .collect();
    if item["version"].as_i64() < Some(known.version_read) {
        sentences
            .push(format!("invoice {id} was read at version {} and is at {}", known.version_read, item["version"]));
    }
    sentences
}
