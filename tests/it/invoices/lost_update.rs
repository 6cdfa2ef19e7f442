//! An invoice was created, and the task that created it was lost, with the update that had asked for it: whoever repeats the
//! request is answered from the row, and nobody ever asks the run.

use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Merchant, TestApp};
use uuid::Uuid;
use workflows::invoices::workflow_id;

/// One that has a row, and a run that knows of nothing.
async fn orphaned(app: &TestApp, merchant: &Merchant) -> (Answer, Uuid) {
    let created = merchant.create(&Merchant::invoice()).await;
    let invoice_id = created.invoice_id();
    app.lose_first_task(workflow_id(invoice_id)).await;
    (created, invoice_id)
}

#[tokio::test]
async fn its_deposits_count_and_it_is_finished() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let (created, invoice_id) = orphaned(&app, &merchant).await;
    app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
    merchant.until(invoice_id, "payment_confirmation").await;
    app.mine("tron", 20).await;
    merchant.until(invoice_id, "finished").await;
}

#[tokio::test]
async fn it_can_be_cancelled() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let (_, invoice_id) = orphaned(&app, &merchant).await;
    let path = format!("/invoices/{invoice_id}/cancel");
    let cancelled = merchant.post(&path, "cancel", &json!({ "reason": "requested_by_merchant" })).await;
    assert_eq!((cancelled.status, cancelled.text("status")), (StatusCode::OK, "cancelled"), "{cancelled:#?}");
}

/// Nobody tells its run of anything.
#[tokio::test]
async fn it_expires_in_the_end() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut brief = Merchant::invoice();
    brief["expires_in_seconds"] = json!(10);
    let created = merchant.create(&brief).await;
    app.lose_first_task(workflow_id(created.invoice_id())).await;
    merchant.until(created.invoice_id(), "expired").await;
}
