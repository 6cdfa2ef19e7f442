//! Money that a test's own watcher tells of, so that no block that another test mines moves it; and what is told of money.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Answer, History, Merchant, Output, TestApp, Watcher, eventually};
use uuid::Uuid;

use super::rows;

/// One output of a transaction, and who tells of it. The sandbox's chains know nothing of it, and so no last look finds it.
pub(super) struct Money {
    watcher: Watcher,
    output: Output,
    version: i64,
}

impl Money {
    /// Money for an invoice, in its coin and first seen when it began. Nobody has told of it yet.
    pub(super) fn to(app: &TestApp, invoice: &Answer, amount: &str) -> Self {
        Self { watcher: app.watcher(), output: Output::paying(invoice, amount), version: 0 }
    }

    /// The same, first seen at another time.
    pub(super) fn first_seen_at(self, time: DateTime<Utc>) -> Self {
        let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
        Self { output: self.output.with("first_seen_at", time), ..self }
    }

    pub(super) fn tx_id(&self) -> &str {
        self.output.tx_id()
    }

    /// It is in the mempool, and that is kept.
    pub(super) async fn is_seen(&mut self) {
        assert_eq!(self.tell(Output::seen).await, "accepted", "{:?}", self.output);
    }

    /// It is in a block with so many confirmations, and that is kept.
    pub(super) async fn has(&mut self, confirmations: i64) {
        let included = |output: &Output, version| output.included(version, confirmations);
        assert_eq!(self.tell(included).await, "accepted", "{:?}", self.output);
    }

    /// The chain cannot take it back, and that is kept.
    pub(super) async fn is_final(&mut self) {
        assert_eq!(self.tell(Output::settled).await, "accepted", "{:?}", self.output);
    }

    /// Another transaction took its place and pays somebody else, and that is kept.
    pub(super) async fn is_replaced(&mut self) {
        assert_eq!(self.tell(Output::replaced).await, "accepted", "{:?}", self.output);
    }

    /// The API's word on a new report.
    pub(super) async fn tell(&mut self, report: impl Fn(&Output, i64) -> Value) -> String {
        self.version += 1;
        self.watcher.tell(&report(&self.output, self.version)).await
    }

    /// What an event's evidence says of it.
    pub(super) fn in_evidence<'a>(&self, event: &'a Value) -> &'a Value {
        let deposits = event["evidence"]["deposits"].as_array();
        let mut deposits = deposits.unwrap_or_else(|| panic!("no deposits in {event:#}")).iter();
        let own = deposits.find(|deposit| deposit["tx_id"] == self.tx_id());
        own.unwrap_or_else(|| panic!("no {} in {event:#}", self.tx_id()))
    }
}

/// The body of an invoice on a network, in the coin that these tests pay there.
pub(super) fn invoice(network: &str, amount: &str, seconds: u32) -> Value {
    let coin = match network {
        "bitcoin" => "btc",
        "ethereum" => "usdc",
        _ => "usdt",
    };
    json!({ "coin_id": coin, "network_id": network, "amount": amount, "expires_in_seconds": seconds })
}

/// An invoice that expired, and that nothing was paid to.
pub(super) async fn expired(merchant: &Merchant, network: &str, amount: &str) -> Answer {
    let created = merchant.create(&invoice(network, amount, 1)).await;
    merchant.until(created.invoice_id(), "expired").await
}

/// A time in an answer.
pub(super) fn time(answer: &Answer, field: &str) -> DateTime<Utc> {
    answer.text(field).parse().unwrap()
}

/// Waits until a time is over for the database.
pub(super) async fn until_past(app: &TestApp, time: DateTime<Utc>) {
    let database = app.database().await;
    let is_past =
        || async { query_scalar("select clock_timestamp() > $1").bind(time).fetch_one(&database).await.unwrap() };
    eventually(&format!("{time} to pass"), is_past, |past: &bool| *past).await;
}

/// Waits until the run of an invoice is closed.
pub(super) async fn until_closed(app: &TestApp, invoice_id: Uuid) {
    eventually("the run to close", || app.history(invoice_id), History::is_closed).await;
}

/// Waits until one of an invoice's amounts is this.
pub(super) async fn until_amount(merchant: &Merchant, invoice_id: Uuid, which: &str, amount: &str) -> Answer {
    let what = format!("{which} of invoice {invoice_id} to be {amount}");
    eventually(&what, || merchant.read(invoice_id), |answer| answer.body["amounts"][which] == amount).await
}

/// Status, exception, seen and late; empty what an answer without an invoice does not say.
pub(super) fn standing(answer: &Answer) -> [&str; 4] {
    let (invoice, amounts) = (&answer.body, &answer.body["amounts"]);
    [&invoice["status"], &invoice["exception"], &amounts["seen"], &amounts["late"]]
        .map(|said| said.as_str().unwrap_or_default())
}

/// Everything that happened to an invoice, from its beginning.
pub(super) async fn timeline(merchant: &Merchant, invoice_id: Uuid) -> Vec<Value> {
    let told = merchant.get(&format!("/invoices/{invoice_id}/timeline")).await;
    assert_eq!(told.status, StatusCode::OK, "{told:#?}");
    assert!(told.body["next_cursor"].is_null(), "{told:#?}");
    told.body["items"].as_array().cloned().unwrap_or_else(|| panic!("no items in {told:#?}"))
}

/// The statuses that an invoice had, in their order.
pub(super) async fn path(merchant: &Merchant, invoice_id: Uuid) -> Vec<String> {
    let events = timeline(merchant, invoice_id).await;
    let mut path: Vec<_> = events.iter().map(|event| event["to"].as_str().unwrap_or_default().to_owned()).collect();
    path.dedup();
    path
}

/// The first change of an invoice from one status to another.
pub(super) async fn change(merchant: &Merchant, invoice_id: Uuid, from: &str, to: &str) -> Value {
    let events = timeline(merchant, invoice_id).await;
    let found = events.iter().find(|event| event["from"] == from && event["to"] == to);
    found.cloned().unwrap_or_else(|| panic!("never from {from} to {to}: {events:#?}"))
}

/// How many causes of this kind an invoice was changed by.
pub(super) async fn causes(merchant: &Merchant, invoice_id: Uuid, kind: &str) -> usize {
    let events = timeline(merchant, invoice_id).await;
    let causes = events.iter().filter_map(|event| event["cause"].as_str());
    causes.filter(|cause| cause.starts_with(kind)).collect::<BTreeSet<_>>().len()
}

/// What the merchant was credited for an invoice, in base units, smallest first.
pub(super) async fn credits(app: &TestApp, invoice_id: Uuid) -> Vec<String> {
    rows::credits(&app.database().await, invoice_id).await
}

/// A request with the operator's key.
pub(super) fn operator(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.http().request(method, app.api(path)).bearer_auth(&app.stack().demo().keys.operator)
}

pub(super) fn accepting_late(merchant: &Merchant, invoice_id: Uuid, key: &str) -> RequestBuilder {
    let request = merchant.request(Method::POST, &format!("/invoices/{invoice_id}/accept-late"));
    request.header("Idempotency-Key", key).json(&json!({ "note": "a regular customer" }))
}

/// Accepts what came late.
pub(super) async fn accept_late(merchant: &Merchant, invoice_id: Uuid, key: &str) -> Answer {
    Answer::patiently(|| accepting_late(merchant, invoice_id, key)).await
}

/// Late money was not accepted, and this is why.
pub(super) fn assert_not_acceptable(answer: &Answer, reason: &str) {
    let (code, because) = (&answer.body["code"], &answer.body["reason"]);
    let wanted = (StatusCode::CONFLICT, &json!("late_money_not_acceptable"), &json!(reason));
    assert_eq!((answer.status, code, because), wanted, "{answer:#?}");
}

pub(super) fn cancelling(merchant: &Merchant, invoice_id: Uuid, key: &str) -> RequestBuilder {
    let request = merchant.request(Method::POST, &format!("/invoices/{invoice_id}/cancel"));
    request.header("Idempotency-Key", key).json(&json!({ "reason": "requested_by_merchant" }))
}

pub(super) fn cancelling_for_kyc(app: &TestApp, invoice_id: Uuid, key: &str) -> RequestBuilder {
    let request = operator(app, Method::POST, &format!("/invoices/{invoice_id}/cancel"));
    request.header("Idempotency-Key", key).json(&json!({ "reason": "kyc" }))
}

pub(super) fn assert_not_cancellable(answer: &Answer) {
    let wanted = (StatusCode::CONFLICT, &json!("invoice_not_cancellable"));
    assert_eq!((answer.status, &answer.body["code"]), wanted, "{answer:#?}");
}
