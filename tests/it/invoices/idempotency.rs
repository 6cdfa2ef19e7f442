//! The same request, however often and however many at once, is one invoice.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Merchant, TestApp};

async fn invoices_of(app: &TestApp, merchant: &Merchant) -> i64 {
    let count = query_scalar("select count(*) from invoice where merchant_id = $1").bind(merchant.id());
    count.fetch_one(&app.database().await).await.unwrap()
}

#[tokio::test]
async fn twenty_at_once_get_one_invoice_and_one_answer() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let body = Merchant::invoice();
    let answers = join_all((0..20).map(|_| merchant.post("/invoices", "\"the same key\"", &body))).await;

    for answer in &answers {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:#?}");
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(invoices_of(&app, &merchant).await, 1);
    assert_eq!(app.outside_effects("address_made", &merchant.id().to_string()).await.len(), 1);
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_also_when_the_invoice_has_moved_on() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut body = Merchant::invoice();
    body["expires_in_seconds"] = json!(1);
    let first = merchant.post("/invoices", "key", &body).await;
    merchant.until(first.invoice_id(), "expired").await;

    let repeat = merchant.post("/invoices", "\"key\"", &body).await;
    assert_eq!(repeat.status, StatusCode::CREATED);
    assert_eq!(repeat.body, first.body, "bare and quoted keys are the same key");
}

#[tokio::test]
async fn case_04_another_body_under_the_same_key_is_refused() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let first = merchant.post("/invoices", "key", &Merchant::invoice()).await;
    let mut other = Merchant::invoice();
    other["amount"] = json!("13");
    let refused = merchant.post("/invoices", "key", &other).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["code"], "idempotency_key_reused");

    let reordered: Value = serde_json::from_str(
        r#"{ "expires_in_seconds": 900, "amount": "12.50",   "network_id": "tron", "coin_id": "usdt" }"#,
    )
    .unwrap();
    assert_eq!(merchant.post("/invoices", "key", &reordered).await.body, first.body);
    assert_eq!(invoices_of(&app, &merchant).await, 1);
}

#[tokio::test]
async fn the_same_key_of_another_merchant_is_another_invoice() {
    let app = TestApp::shared();
    let (one, other) = (app.merchant(), app.merchant());
    let first = one.post("/invoices", "key", &Merchant::invoice()).await;
    let second = other.post("/invoices", "key", &Merchant::invoice()).await;
    assert_ne!(first.invoice_id(), second.invoice_id());
}

#[tokio::test]
async fn a_key_is_needed() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let without = merchant.request(reqwest::Method::POST, "/invoices").json(&Merchant::invoice());
    let refused = system_tests::Answer::to(without).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.body["code"], "idempotency_key_missing");
    assert_eq!(invoices_of(&app, &merchant).await, 0);
}

#[tokio::test]
async fn case_04_an_external_id_is_one_invoice() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut body = Merchant::invoice();
    body["external_id"] = json!("order-7");
    let first = merchant.create(&body).await;
    let refused = merchant.post("/invoices", "another key", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.body["code"], "external_id_taken");
    assert_eq!(refused.invoice_id(), first.invoice_id());

    let answers = join_all((0..10).map(|index| {
        let (merchant, mut body) = (merchant.clone(), body.clone());
        body["external_id"] = json!("order-8");
        async move { merchant.post("/invoices", &format!("racing {index}"), &body).await.status }
    }))
    .await;
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::CREATED).count(), 1, "{answers:?}");
    assert_eq!(invoices_of(&app, &merchant).await, 2);
}
