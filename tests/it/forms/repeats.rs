//! The same click, however often it arrives, is one invoice.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Buyer, TestApp};
use uuid::Uuid;

use super::{fixed, invoices_of, uses_of};

#[tokio::test]
async fn case_31_a_double_click_is_one_invoice() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&json!({ "coin_id": "usdt", "network_id": "tron", "max_uses": 1 })).await;
    let (buyer, click, body) = (Buyer::at(&app, &form), Uuid::new_v4(), json!({ "amount": "7" }));
    let answers = join_all((0..20).map(|_| buyer.submit_as(click, &body))).await;
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:#?}");
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!((invoices_of(&app, &merchant).await, uses_of(&merchant, &form).await), (1, json!(1)));

    let invoice = &answers[0].body["invoice"];
    app.pay("tron", "usdt", invoice["deposit_address"].as_str().unwrap(), "7").await;
    merchant.until(answers[0].invoice_id(), "payment_confirmation").await;
    let later = buyer.submit_as(click, &body).await;
    assert_eq!((later.status, later.body), (StatusCode::CREATED, answers[0].body.clone()), "also when it has moved on");
    let another = buyer.submit_as(click, &json!({ "amount": "8" })).await;
    assert_eq!(another.text("code"), "idempotency_key_reused", "{another:#?}");
}

#[tokio::test]
async fn a_click_on_one_form_is_none_on_another() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let click = Uuid::new_v4();
    let mut invoices = Vec::new();
    for _ in 0..2 {
        let buyer = Buyer::at(&app, &merchant.form(&fixed()).await);
        invoices.push(buyer.submit_as(click, &json!({})).await.invoice_id());
    }
    assert_ne!(invoices[0], invoices[1]);
}

#[tokio::test]
async fn a_click_has_a_key_that_nobody_guesses() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let buyer = Buyer::at(&app, &merchant.form(&fixed()).await);
    let request = || buyer.request(reqwest::Method::POST, &buyer.submit_path()).json(&json!({}));
    let without = Answer::to(request()).await;
    assert_eq!((without.status, without.text("code")), (StatusCode::BAD_REQUEST, "idempotency_key_missing"));
    let times = Uuid::now_v7().to_string();
    for key in ["1", "key", &times, &Uuid::nil().to_string(), &format!("{}0", Uuid::new_v4())] {
        let refused = Answer::to(request().header("Idempotency-Key", key)).await;
        assert_eq!(
            (refused.status, refused.text("code")),
            (StatusCode::BAD_REQUEST, "idempotency_key_invalid"),
            "{key}"
        );
    }
    assert_eq!(invoices_of(&app, &merchant).await, 0);
}
