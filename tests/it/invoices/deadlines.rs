//! Deadlines: what is in time, what stops the expiry and for how long, and what brings an expired invoice back.

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::{Value, json};
use stack::{Part, Settings};
use system_tests::{Answer, Merchant, SharedStack, TestApp, eventually};

use super::money::{Money, change, credits, expired, invoice, path, standing, time, until_amount, until_past};

/// Durations that a test can wait for, different ones on each network. Nobody mines on its chains but for case 20.
pub(super) static BRIEF: SharedStack = SharedStack::new(brief);

const NETWORKS: &str = "tron.monitoring=1s,tron.cool-down=1s,tron.tolerance=5000,\
    bitcoin.confirmation-window=1s,bitcoin.partial-grace=1s,ethereum.tolerance-bps=100";
/// The confirmation window, and the grace of a part, of bitcoin there.
pub(super) const A_SECOND: TimeDelta = TimeDelta::seconds(1);
/// In seconds: long enough for a deposit to be counted before.
const SOON: u32 = 3;

fn brief() -> Settings {
    [
        ("PERDURA_INVOICE_NETWORKS", NETWORKS),
        ("PERDURA_INVOICE_LAST_LOOK", "1s"),
        ("PERDURA_INVOICE_RETRY_AT_MOST", "1s"),
    ]
    .into_iter()
    .fold(Settings::isolated(), |settings, (name, value)| settings.env(Part::Api, name, value))
}

#[tokio::test]
async fn case_09_a_deposit_is_in_time_until_the_last_millisecond_before_the_deadline() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let before = [-1, 0, 1].map(|offset| (false, offset));
    let after = [-1, 0, 1].map(|offset| (true, offset));
    let told = |(is_over, offset)| told_around_the_deadline(&app, &merchant, is_over, offset);
    join_all(before.into_iter().chain(after).map(told)).await;
}

/// Money that was first seen so many milliseconds after the deadline, and is reported before or after it.
async fn told_around_the_deadline(app: &TestApp, merchant: &Merchant, is_over: bool, offset: i64) {
    let asked = if is_over {
        expired(merchant, "tron", "12.5").await
    } else {
        merchant.create(&invoice("tron", "12.5", 900)).await
    };
    let first_seen_at = time(&asked, "expires_at") + TimeDelta::milliseconds(offset);
    Money::to(app, &asked, "12.5").first_seen_at(first_seen_at).is_seen().await;

    let (counted, wanted) = match (offset < 0, is_over) {
        (true, _) => ("seen", ["payment_confirmation", "none", "12.5", "0"]),
        (false, true) => ("late", ["expired", "paid_late", "0", "12.5"]),
        (false, false) => ("late", ["waiting_for_deposit", "paid_late", "0", "12.5"]),
    };
    let told = until_amount(merchant, asked.invoice_id(), counted, "12.5").await;
    assert_eq!(standing(&told), wanted, "{offset} ms, reported after the deadline: {is_over}");
}

#[tokio::test]
async fn case_10_money_in_time_brings_an_expired_invoice_back_with_its_evidence() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let asked = expired(&merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    let mut money = Money::to(&app, &asked, "12.5");
    money.is_seen().await;
    let back = merchant.until(invoice_id, "payment_confirmation").await;
    assert_eq!(standing(&back), ["payment_confirmation", "none", "12.5", "0"]);
    money.is_final().await;
    let finished = merchant.until(invoice_id, "finished").await;
    assert_eq!(standing(&finished), ["finished", "none", "12.5", "0"]);
    assert_eq!(credits(&app, invoice_id).await, ["12500000"]);

    let event = change(&merchant, invoice_id, "expired", "payment_confirmation").await;
    assert!(event["cause"].as_str().is_some_and(|cause| cause.starts_with("deposits/")), "{event:#}");
    assert_eq!(event["actor"], "system");
    let evidence = money.in_evidence(&event);
    let wanted = json!(["o:0", "12.5", "seen", false, true]);
    let told = ["output_ref", "amount", "state", "late", "right_asset"].map(|field| evidence[field].clone());
    assert_eq!(json!(told), wanted, "{event:#}");
    let wanted = ["waiting_for_deposit", "expired", "payment_confirmation", "payment_accepted", "finished"];
    assert_eq!(path(&merchant, invoice_id).await, wanted);
}

/// A deposit of one unit makes the invoice look at its money and at the time anew.
async fn look(app: &TestApp, merchant: &Merchant, asked: &Answer, unit: &str) -> Answer {
    let seen = merchant.read(asked.invoice_id()).await.body["amounts"]["seen"].take();
    Money::to(app, asked, unit).is_seen().await;
    let read = || merchant.read(asked.invoice_id());
    eventually("one unit more", read, |answer| answer.body["amounts"]["seen"] != seen).await
}

#[tokio::test]
async fn money_that_covers_an_invoice_may_be_confirmed_within_the_window() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    // Nothing may keep the money from being seen before the deadline.
    let asked = merchant.create(&invoice("tron", "12.5", 15)).await;
    let mut money = Money::to(&app, &asked, "12.5");
    money.is_seen().await;
    merchant.until(asked.invoice_id(), "payment_confirmation").await;
    until_past(&app, time(&asked, "expires_at")).await;
    let still = look(&app, &merchant, &asked, "0.000001").await;
    assert_eq!(standing(&still), ["payment_confirmation", "none", "12.500001", "0"]);

    money.is_final().await;
    merchant.until(asked.invoice_id(), "finished").await;
    let wanted = ["waiting_for_deposit", "payment_confirmation", "payment_accepted", "finished"];
    assert_eq!(path(&merchant, asked.invoice_id()).await, wanted);
}

#[tokio::test]
async fn money_that_is_confirmed_after_the_window_counts_all_the_same() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let asked = merchant.create(&invoice("bitcoin", "0.001", 1)).await;
    let invoice_id = asked.invoice_id();
    let mut money = Money::to(&app, &asked, "0.001");
    money.is_seen().await;
    let is_over = |answer: &Answer| answer.body["status"] == "expired" && answer.body["amounts"]["seen"] == "0.001";
    let over = eventually("the window to end", || merchant.read(invoice_id), is_over).await;
    assert!(time(&over, "updated_at") >= time(&asked, "expires_at") + A_SECOND, "{over:#?}");
    assert_eq!(over.body["amounts"]["late"], "0", "it came in time");

    money.is_final().await;
    let finished = merchant.until(invoice_id, "finished").await;
    assert_eq!(standing(&finished), ["finished", "none", "0.001", "0"]);
    assert_eq!(credits(&app, invoice_id).await, ["100000"]);
    let event = change(&merchant, invoice_id, "expired", "payment_accepted").await;
    let evidence = money.in_evidence(&event);
    assert_eq!((&evidence["state"], &evidence["late"]), (&json!("final"), &json!(false)), "{event:#}");
}

#[tokio::test]
async fn more_bitcoin_needs_more_confirmations() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let tiers = [("0.5", 3), ("0.99999999", 3), ("1", 6), ("2", 6)];
    join_all(tiers.map(|(amount, required)| accepted_at(&app, &merchant, amount, required))).await;
}

async fn accepted_at(app: &TestApp, merchant: &Merchant, amount: &str, required: i64) {
    let asked = merchant.create(&invoice("bitcoin", amount, 900)).await;
    let mut money = Money::to(app, &asked, amount);
    money.has(required - 1).await;
    merchant.until(asked.invoice_id(), "payment_confirmation").await;
    let still = look(app, merchant, &asked, "0.00000001").await;
    assert_eq!(still.text("status"), "payment_confirmation", "{amount} with {} confirmations", required - 1);
    assert_eq!(still.body["amounts"]["confirmed"], "0", "{amount}");

    money.has(required).await;
    merchant.until(asked.invoice_id(), "finished").await;
    let event = change(merchant, asked.invoice_id(), "payment_confirmation", "payment_accepted").await;
    let evidence = money.in_evidence(&event);
    let wanted = (&json!(required), &json!(required));
    assert_eq!((&evidence["confirmations"], &evidence["required"]), wanted, "{amount}: {event:#}");
}

async fn replace(app: &TestApp, paid: &Value, address: &str, amount: &str) {
    let body = json!({ "tx_id": paid["tx_id"], "with": { "address": address, "amount": amount } });
    app.control("/chains/ethereum/replace", body).await;
}

/// Whatever the payer first sent, he pays the exact amount in the end.
#[tokio::test]
async fn case_20_a_replacement_counts_in_the_place_of_what_it_replaces() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let mut all = Vec::new();
    for (first, status, exception) in
        [("20", "payment_confirmation", "none"), ("5", "waiting_for_deposit", "paid_partial")]
    {
        let asked = merchant.create(&invoice("ethereum", "12.5", 900)).await;
        let (invoice_id, address) = (asked.invoice_id(), asked.text("deposit_address"));
        let paid = app.pay("ethereum", "usdc", address, first).await;
        let told = until_amount(&merchant, invoice_id, "seen", first).await;
        assert_eq!(standing(&told), [status, exception, first, "0"]);
        replace(&app, &paid, address, "12.5").await;
        let told = until_amount(&merchant, invoice_id, "seen", "12.5").await;
        assert_eq!(standing(&told), ["payment_confirmation", "none", "12.5", "0"], "{first} was replaced");
        all.push(invoice_id);
    }
    replaced_elsewhere(&app, &merchant).await;
    app.mine("ethereum", 20).await;
    for invoice_id in all {
        let finished = merchant.until(invoice_id, "finished").await;
        assert_eq!(standing(&finished), ["finished", "none", "12.5", "0"]);
        assert_eq!(finished.body["amounts"]["overpaid"], "0");
        assert_eq!(credits(&app, invoice_id).await, ["12500000"]);
    }
}

/// The invoice waits again, and its deadline applies as if nothing had come.
async fn replaced_elsewhere(app: &TestApp, merchant: &Merchant) {
    for (seconds, status) in [(900, "waiting_for_deposit"), (SOON, "expired")] {
        let asked = merchant.create(&invoice("ethereum", "12.5", seconds)).await;
        let body = json!({
            "address": asked.text("deposit_address"), "coin_id": "usdc", "amount": "12.5",
            "first_seen_at": asked.text("created_at"),
        });
        let paid = app.control("/chains/ethereum/deposits", body).await;
        merchant.until(asked.invoice_id(), "payment_confirmation").await;
        replace(app, &paid, "0x000000000000000000000000000000000000dEaD", "12.5").await;
        let is_over = |answer: &Answer| standing(answer) == [status, "none", "0", "0"];
        eventually(status, || merchant.read(asked.invoice_id()), is_over).await;
    }
}

#[tokio::test]
async fn case_21_two_parts_pay_an_invoice_together() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let asked = merchant.create(&invoice("tron", "12.5", 900)).await;
    let invoice_id = asked.invoice_id();
    Money::to(&app, &asked, "5").is_final().await;
    let partial = merchant.until(invoice_id, "partially_paid").await;
    assert_eq!(standing(&partial), ["partially_paid", "paid_partial", "5", "0"]);
    assert_eq!(partial.body["amounts"]["remaining"], "7.5");

    let mut rest = Money::to(&app, &asked, "7.5");
    rest.is_seen().await;
    let covered = merchant.until(invoice_id, "payment_confirmation").await;
    assert_eq!(standing(&covered), ["payment_confirmation", "none", "12.5", "0"]);
    assert_eq!(covered.body["amounts"]["confirmed"], "5");
    rest.is_final().await;
    let finished = merchant.until(invoice_id, "finished").await;
    assert_eq!(standing(&finished), ["finished", "none", "12.5", "0"]);
    assert_eq!(credits(&app, invoice_id).await, ["5000000", "7500000"], "one for each output");
}

#[tokio::test]
async fn case_21_a_part_expires_when_its_grace_is_over() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    for is_confirmed in [true, false] {
        let asked = merchant.create(&invoice("bitcoin", "0.001", 1)).await;
        let mut part = Money::to(&app, &asked, "0.0004");
        if is_confirmed {
            part.is_final().await;
        } else {
            part.is_seen().await;
        }
        let is_over = |answer: &Answer| standing(answer) == ["expired", "paid_partial", "0.0004", "0"];
        let over = eventually("the grace to end", || merchant.read(asked.invoice_id()), is_over).await;
        // Unconfirmed and reported after the deadline, it would not have stopped the expiry.
        let grace_ends = time(&asked, "expires_at") + A_SECOND;
        assert!(!is_confirmed || time(&over, "updated_at") >= grace_ends, "{over:#?}");
        assert!(credits(&app, asked.invoice_id()).await.is_empty());
    }
}

/// The boundary of the grace is as sharp as that of the invoice.
#[tokio::test]
async fn case_21_what_completes_a_part_is_in_time_until_the_grace_is_over() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    for (offset, wanted) in [
        (-1, ["payment_confirmation", "none", "0.001", "0"]),
        (0, ["waiting_for_deposit", "paid_late", "0.0004", "0.0006"]),
    ] {
        let asked = merchant.create(&invoice("bitcoin", "0.001", 900)).await;
        Money::to(&app, &asked, "0.0004").is_seen().await;
        merchant.until_exception(asked.invoice_id(), "paid_partial").await;
        let first_seen_at = time(&asked, "expires_at") + A_SECOND + TimeDelta::milliseconds(offset);
        Money::to(&app, &asked, "0.0006").first_seen_at(first_seen_at).is_seen().await;
        let is_counted = |answer: &Answer| standing(answer) == wanted;
        eventually("the rest to be counted", || merchant.read(asked.invoice_id()), is_counted).await;
    }
}

#[tokio::test]
async fn case_22_unconfirmed_money_that_is_dropped_after_the_deadline_lets_the_invoice_expire_at_once() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let asked = merchant.create(&invoice("tron", "12.5", SOON)).await;
    let mut money = Money::to(&app, &asked, "12.5");
    money.is_seen().await;
    merchant.until(asked.invoice_id(), "payment_confirmation").await;
    until_past(&app, time(&asked, "expires_at")).await;
    money.is_replaced().await;

    let expired = merchant.until(asked.invoice_id(), "expired").await;
    assert_eq!(standing(&expired), ["expired", "none", "0", "0"]);
    let path = path(&merchant, asked.invoice_id()).await;
    let path: Vec<_> = path.iter().map(String::as_str).filter(|status| *status != "waiting_for_deposit").collect();
    assert!(path.ends_with(&["payment_confirmation", "expired"]), "{path:?}");
}
