//! Cancellation: by the merchant while nothing was seen, by an operator until the payment is accepted.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Merchant, TestApp};

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

    let operator = app.http().post(app.api(&path)).bearer_auth(&app.stack().demo().keys.operator);
    let cancelled = Answer::to(operator.header("Idempotency-Key", "kyc").json(&json!({ "reason": "kyc" }))).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{cancelled:#?}");
    assert_eq!(cancelled.text("status"), "cancelled");
    assert_eq!(cancelled.text("exception"), "paid_after_cancel");
}

#[tokio::test]
async fn money_after_a_cancellation_is_told_and_does_not_revive_the_invoice() {
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
async fn cancellation_and_deposit_at_once_have_one_outcome() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for round in 0..10 {
        let created = merchant.create(&Merchant::invoice()).await;
        let path = format!("/invoices/{}/cancel", created.invoice_id());
        let body = json!({ "reason": "requested_by_merchant" });
        let key = format!("round {round}");
        let (cancelled, _) = futures::join!(
            merchant.post(&path, &key, &body),
            app.pay("tron", "usdt", created.text("deposit_address"), "12.5"),
        );
        match cancelled.status {
            StatusCode::OK => {
                let told = merchant.until_exception(created.invoice_id(), "paid_after_cancel").await;
                assert_eq!(told.text("status"), "cancelled");
            }
            StatusCode::CONFLICT => {
                app.mine("tron", 20).await;
                merchant.until(created.invoice_id(), "finished").await;
            }
            _ => panic!("{cancelled:#?}"),
        }
    }
}
