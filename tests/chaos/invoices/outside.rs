//! What really happened outside, from the sandbox's own mouth.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Invoices, memory::Known};

const AT_ONCE: usize = 8;

/// One output of a transaction that pays to an invoice's address.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the address service")]
pub(super) struct Output {
    pub(super) network_id: String,
    pub(super) tx_id: String,
    pub(super) output_ref: String,
    pub(super) address: String,
    pub(super) amount: String,
    pub(super) state: String,
    pub(super) first_seen_at: DateTime<Utc>,
    pub(super) version: i64,
}

impl Output {
    /// Its name within everything that is paid anywhere.
    pub(super) fn name(&self) -> String {
        format!("{}/{}/{}", self.network_id, self.tx_id, self.output_ref)
    }
}

#[derive(Deserialize)]
struct Deposits {
    observations: Vec<Output>,
}

/// Everything that was paid to the addresses of the known invoices.
pub(super) async fn outputs(invoices: &Invoices, known: &BTreeMap<Uuid, Known>) -> Vec<Output> {
    let addresses: BTreeSet<_> =
        known.values().map(|known| (known.text("network_id"), known.text("deposit_address"))).collect();
    let asked: Vec<_> =
        addresses.into_iter().map(|(network, address)| of_address(invoices, network, address)).collect();
    stream::iter(asked).buffer_unordered(AT_ONCE).concat().await
}

async fn of_address(invoices: &Invoices, network: &str, address: &str) -> Vec<Output> {
    let url = format!("{}/addresses/{network}/{address}/deposits", invoices.app.stack().sandbox_url());
    let answer = invoices.app.http().get(url).send().await.expect("the sandbox");
    answer.json::<Deposits>().await.expect("deposits").observations
}

/// An address that was made, by the key it was asked for with.
pub(super) struct Made {
    pub(super) key: String,
    pub(super) address: String,
}

/// Every address that was made for one merchant.
pub(super) async fn addresses_made(invoices: &Invoices, merchant_id: Uuid) -> Vec<Made> {
    let entries = invoices.app.outside_effects("address_made", &merchant_id.to_string()).await;
    let text = |entry: &Value, field: &str| entry["detail"][field].as_str().unwrap_or_default().to_owned();
    entries.iter().map(|entry| Made { key: text(entry, "idempotency_key"), address: text(entry, "address") }).collect()
}
