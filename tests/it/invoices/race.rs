//! Two hundred deposits and two hundred deadlines: each deposit is first seen within a millisecond of the deadline, and
//! reported while the deadline acts and the last look is under way.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, TimeDelta, Utc};
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;
use sqlx::{FromRow, query_as};
use system_tests::{Answer, Merchant, TestApp, eventually};
use uuid::Uuid;

use super::money::{invoice, time};

const DEPOSITS: i64 = 200;
/// Invoices that race at the same time.
const AT_ONCE: usize = 12;
/// The first deposit is seen a millisecond before its deadline, each other one so many microseconds later.
const STEP: i64 = 10;
/// About half of how long it takes to notice that the moment has come.
const LEAD: TimeDelta = TimeDelta::milliseconds(15);
/// 12.5, in base units.
const PAID: &str = "12500000";

/// What is kept of an invoice and its money.
#[derive(Debug, FromRow)]
struct Kept {
    invoice_id: Uuid,
    exception: String,
    seen: String,
    confirmed: String,
    late: String,
    /// Amounts of its outputs, and of its credits.
    outputs: Vec<String>,
    credits: Vec<String>,
    path: Vec<String>,
}

const KEPT: &str = "
    select invoice_id, exception, seen::text, confirmed::text, late::text,
        array(select amount::text from invoice_transaction t where t.invoice_id = i.invoice_id) as outputs,
        array(select amount::text from merchant_credit c where c.invoice_id = i.invoice_id) as credits,
        array(select to_status::text from invoice_event e where e.invoice_id = i.invoice_id order by sequence) as path
    from invoice i where merchant_id = $1";

#[tokio::test]
async fn two_hundred_deposits_within_a_millisecond_of_the_deadline_have_one_outcome_each() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    app.fill_pool(&merchant, usize::try_from(DEPOSITS).unwrap()).await;
    let races = (0..DEPOSITS).map(|index| race(&app, &merchant, STEP * index - 1000));
    let in_time: BTreeMap<Uuid, bool> = stream::iter(races).buffer_unordered(AT_ONCE).collect().await;
    app.mine("tron", 20).await;
    let paid = in_time.iter().filter(|(_, in_time)| **in_time).map(|(invoice_id, _)| *invoice_id);
    let finished = paid.map(|invoice_id| merchant.until(invoice_id, "finished"));
    assert_eq!(stream::iter(finished).buffer_unordered(AT_ONCE).count().await, 100, "half of them were in time");

    let kept: Vec<Kept> = query_as(KEPT).bind(merchant.id()).fetch_all(&app.database().await).await.unwrap();
    assert_eq!(kept.len(), in_time.len());
    for invoice in kept {
        assert_eq!(invoice.outputs, [PAID], "{invoice:#?}");
        if in_time[&invoice.invoice_id] {
            assert_paid(invoice);
        } else {
            assert_late(invoice);
        }
    }
}

/// One deposit and one deadline. Whose it was, and whether it was in time by the time of first sight.
async fn race(app: &TestApp, merchant: &Merchant, microseconds: i64) -> (Uuid, bool) {
    let key = Uuid::new_v4().to_string();
    let body = invoice("tron", "12.5", 1);
    let ask = || merchant.request(Method::POST, "/invoices").header("Idempotency-Key", &key).json(&body);
    let asked = Answer::patiently(ask).await;
    let expires_at = time(&asked, "expires_at");
    let first_seen_at = expires_at + TimeDelta::microseconds(microseconds);
    eventually("the deadline", || async { Utc::now() }, |now| *now >= expires_at - LEAD).await;
    let deposit = json!({
        "address": asked.text("deposit_address"), "coin_id": "usdt", "amount": "12.5",
        "first_seen_at": first_seen_at.to_rfc3339_opts(SecondsFormat::Micros, true),
    });
    app.control("/chains/tron/deposits", deposit).await;

    let in_time = first_seen_at < expires_at;
    let is_over = |answer: &Answer| match answer.body["status"].as_str().unwrap_or_default() {
        "payment_confirmation" | "payment_accepted" | "finished" => true,
        "expired" => answer.text("exception") == "paid_late",
        _ => false,
    };
    let over = eventually("an outcome", || merchant.read(asked.invoice_id()), is_over).await;
    assert_eq!(over.text("status") != "expired", in_time, "{microseconds} µs after the deadline: {over:#?}");
    (asked.invoice_id(), in_time)
}

/// Paid once, whether or not the deadline was faster.
fn assert_paid(mut invoice: Kept) {
    let amounts = [&invoice.seen, &invoice.confirmed, &invoice.late].map(String::as_str);
    assert_eq!((amounts, invoice.exception.as_str()), ([PAID, PAID, "0"], "none"), "{invoice:#?}");
    assert_eq!(invoice.credits, [PAID], "{invoice:#?}");
    invoice.path.dedup();
    // Who mines meanwhile may leave nothing to be awaited.
    invoice.path.retain(|status| status != "payment_confirmation");
    let path: Vec<_> = invoice.path.iter().map(String::as_str).collect();
    let straight = ["waiting_for_deposit", "payment_accepted", "finished"];
    let mended = ["waiting_for_deposit", "expired", "payment_accepted", "finished"];
    assert!(path == straight || path == mended, "{path:?}");
}

/// Expired once, with all of its money told as late.
fn assert_late(mut invoice: Kept) {
    let amounts = [&invoice.seen, &invoice.confirmed, &invoice.late].map(String::as_str);
    assert_eq!((amounts, invoice.exception.as_str()), (["0", "0", PAID], "paid_late"), "{invoice:#?}");
    assert!(invoice.credits.is_empty(), "{invoice:#?}");
    invoice.path.dedup();
    assert_eq!(invoice.path, ["waiting_for_deposit", "expired"]);
}
