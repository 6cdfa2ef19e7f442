//! What an invoice costs at Temporal.

use serde_json::json;
use stack::{Part, Settings};
use system_tests::{History, Merchant, TestApp, eventually};
use temporalio_common::protos::temporal::api::enums::v1::EventType;
use uuid::Uuid;

async fn closed_history(app: &TestApp, invoice_id: Uuid) -> History {
    eventually("the run to close", || app.history(invoice_id), History::is_closed).await
}

/// Requests that Temporal has served, by operation.
async fn served(app: &TestApp, operation: &str) -> u64 {
    let metrics = app.http().get(app.stack().temporal_metrics_url()).send().await.unwrap().text().await.unwrap();
    let of_operation = |line: &&str| {
        line.starts_with("service_requests{")
            && line.contains(&format!("operation=\"{operation}\""))
            && line.contains("service_name=\"frontend\"")
    };
    let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter of whole requests")]
    metrics.lines().filter(of_operation).map(|line| value(line) as u64).sum()
}

/// Waits until the server shows that it took `count` creations; it tells its metrics with a delay.
async fn until_created(app: &TestApp, count: u64) {
    eventually("the creations to be counted", || served(app, "ExecuteMultiOperation"), |seen| *seen == count).await;
}

#[tokio::test]
async fn creation_is_one_request_and_one_workflow_task() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    merchant.create(&Merchant::invoice()).await;
    until_created(&app, 1).await;
    let polls =
        eventually("the wait for an address", || served(&app, "PollWorkflowExecutionUpdate"), |seen| *seen > 0).await;

    app.fill_pool(&merchant, 2).await;
    let created = merchant.create(&Merchant::invoice()).await;
    merchant.create(&Merchant::invoice()).await;
    // A poll of the first would be told no later than the request of the second.
    until_created(&app, 3).await;
    assert_eq!(served(&app, "PollWorkflowExecutionUpdate").await, polls, "with an address nobody has to poll");

    let history = app.history(created.invoice_id()).await;
    assert_eq!(history.count(EventType::WorkflowTaskCompleted), 1, "{}", history.outline());
    assert_eq!(history.count(EventType::WorkflowExecutionUpdateCompleted), 1, "{}", history.outline());
}

#[tokio::test]
async fn a_whole_life_fits_its_budget() {
    let settings = Settings::isolated().env(Part::Api, "PERDURA_INVOICE_MONITORING", "2s");
    let app = TestApp::isolated(settings).await;
    let merchant = app.merchant();
    // An address that has to be made first is not part of the budget.
    app.fill_pool(&merchant, 2).await;
    let paid = merchant.create(&Merchant::invoice()).await;
    let mut short = Merchant::invoice();
    short["expires_in_seconds"] = json!(1);
    let expired = merchant.create(&short).await;
    app.pay("tron", "usdt", paid.text("deposit_address"), "12.5").await;
    merchant.until(paid.invoice_id(), "payment_confirmation").await;
    app.mine("tron", 20).await;
    merchant.until(paid.invoice_id(), "finished").await;

    let history = closed_history(&app, paid.invoice_id()).await;
    assert!(history.len() <= 40, "paid: {} events\n{}", history.len(), history.outline());
    let history = closed_history(&app, expired.invoice_id()).await;
    assert!(history.len() <= 34, "expired: {} events\n{}", history.len(), history.outline());
}
