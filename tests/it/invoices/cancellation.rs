//! Cancellation: by the merchant while nothing was seen, by an operator until the payment is accepted.

use futures::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Merchant, TestApp};

use super::money::{
    Money, accept_late, assert_not_acceptable, assert_not_cancellable, cancelling, cancelling_for_kyc, credits,
    standing, timeline, until_amount,
};

const ROUNDS: usize = 40;
/// Rounds at the same time.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn a_merchant_cancels_while_nothing_was_seen() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let invoice_id = merchant.create(&Merchant::invoice()).await.invoice_id();
    let path = format!("/invoices/{invoice_id}/cancel");
    let body = json!({ "reason": "requested_by_merchant", "note": "out of stock" });

    let answers = join_all((0..10).map(|_| merchant.post(&path, "cancel", &body))).await;
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::OK, "{answer:#?}");
        assert_eq!(answer.body["status"], "cancelled");
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(merchant.read(invoice_id).await.body, answers[0].body);

    let again = merchant.post(&path, "another key", &body).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(again.body["code"], "invoice_not_cancellable");
    let other = merchant.post(&path, "cancel", &json!({ "reason": "other" })).await;
    assert_eq!(other.body["code"], "idempotency_key_reused");
}

#[tokio::test]
async fn money_that_was_seen_stops_the_merchant_but_not_the_operator() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    let path = format!("/invoices/{}/cancel", created.invoice_id());
    app.pay("tron", "usdt", created.text("deposit_address"), "1").await;
    merchant.until_exception(created.invoice_id(), "paid_partial").await;

    let refused = merchant.post(&path, "key", &json!({ "reason": "requested_by_merchant" })).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let forbidden = merchant.post(&path, "other key", &json!({ "reason": "kyc" })).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);

    let cancelled = Answer::patiently(|| cancelling_for_kyc(&app, created.invoice_id(), "kyc")).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{cancelled:#?}");
    assert_eq!(cancelled.text("status"), "cancelled");
    assert_eq!(cancelled.text("exception"), "paid_after_cancel");
}

#[tokio::test]
async fn case_26_money_after_a_cancellation_is_told_and_does_not_revive_the_invoice() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    let path = format!("/invoices/{}/cancel", created.invoice_id());
    merchant.post(&path, "key", &json!({ "reason": "requested_by_merchant" })).await;
    app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
    app.mine("tron", 20).await;

    let told = merchant.until_exception(created.invoice_id(), "paid_after_cancel").await;
    assert_eq!(told.text("status"), "cancelled");
}

#[tokio::test]
async fn case_26_cancellation_and_deposit_at_once_have_one_outcome() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let rounds = stream::iter((0..ROUNDS).map(|_| cancel_and_pay(&app, &merchant))).buffer_unordered(AT_ONCE);
    assert_eq!(rounds.count().await, ROUNDS);
}

/// Either is first. The money is told in any case, and credited only where the invoice was not cancelled.
async fn cancel_and_pay(app: &TestApp, merchant: &Merchant) {
    let created = merchant.create(&Merchant::invoice()).await;
    let invoice_id = created.invoice_id();
    let mut money = Money::to(app, &created, "12.5");
    let cancelling = Answer::patiently(|| cancelling(merchant, invoice_id, "cancel"));
    let (cancelled, ()) = join(cancelling, money.is_seen()).await;
    money.is_final().await;
    let told = until_amount(merchant, invoice_id, "confirmed", "12.5").await;
    if cancelled.status == StatusCode::OK {
        assert_eq!(standing(&told), ["cancelled", "paid_after_cancel", "12.5", "0"]);
        assert!(credits(app, invoice_id).await.is_empty());
    } else {
        assert_not_cancellable(&cancelled);
        assert_eq!(standing(&merchant.until(invoice_id, "finished").await), ["finished", "none", "12.5", "0"]);
        assert_eq!(credits(app, invoice_id).await, ["12500000"]);
    }
}

#[tokio::test]
async fn an_operator_cancels_for_kyc_until_the_payment_is_accepted_and_nothing_revives_that() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for (amount, is_confirmed, status) in [("12.5", false, "payment_confirmation"), ("5", true, "partially_paid")] {
        let created = merchant.create(&Merchant::invoice()).await;
        let invoice_id = created.invoice_id();
        let mut money = Money::to(&app, &created, amount);
        if is_confirmed {
            money.is_final().await;
        } else {
            money.is_seen().await;
        }
        merchant.until(invoice_id, status).await;
        let cancelled = Answer::patiently(|| cancelling_for_kyc(&app, invoice_id, "kyc")).await;
        assert_eq!(cancelled.status, StatusCode::OK, "{cancelled:#?}");
        assert_eq!(standing(&cancelled), ["cancelled", "paid_after_cancel", amount, "0"]);
        let events = timeline(&merchant, invoice_id).await;
        let last = events.last().unwrap();
        assert_eq!(
            (&last["actor"], &last["evidence"]["reason"]),
            (&json!("operator:local"), &json!("kyc")),
            "{last:#}"
        );

        money.is_final().await;
        Money::to(&app, &created, "20").is_final().await;
        let confirmed = if is_confirmed { "25" } else { "32.5" };
        let told = until_amount(&merchant, invoice_id, "confirmed", confirmed).await;
        assert_eq!(standing(&told), ["cancelled", "paid_after_cancel", confirmed, "0"]);
        assert_not_acceptable(&accept_late(&merchant, invoice_id, "late").await, "cancelled");
        assert!(credits(&app, invoice_id).await.is_empty());
    }
}
