//! What an invoice costs at Temporal.

use reqwest::StatusCode;
use serde_json::{Value, json};
use stack::{Part, Settings};
use system_tests::{Answer, History, Merchant, TestApp, eventually};
use temporalio_common::protos::temporal::api::enums::v1::EventType;
use uuid::Uuid;

use crate::budget::{MEASUREMENTS, assert_fits, was_disturbed};

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

/// A creation that is answered at once: where the machine is too slow for that, its caller would ask for it once more.
async fn created_at_once(merchant: &Merchant) -> Option<Answer> {
    let answer = merchant.ask(&Uuid::new_v4().to_string()).await;
    if !answer.is_final() {
        return None;
    }
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:#?}");
    Some(answer)
}

#[tokio::test]
async fn creation_is_one_request_and_one_workflow_task() {
    for _ in 0..MEASUREMENTS {
        if measure_creation().await.is_some() {
            return;
        }
    }
    panic!("none of {MEASUREMENTS} measurements was undisturbed");
}

/// Nothing when it was disturbed.
async fn measure_creation() -> Option<()> {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    created_at_once(&merchant).await?;
    until_created(&app, 1).await;
    let polls =
        eventually("the wait for an address", || served(&app, "PollWorkflowExecutionUpdate"), |seen| *seen > 0).await;

    app.fill_pool(&merchant, 2).await;
    let created = created_at_once(&merchant).await?;
    let next = created_at_once(&merchant).await?;
    // A poll of the first would be told no later than the request of the second.
    until_created(&app, 3).await;
    let polled = served(&app, "PollWorkflowExecutionUpdate").await;
    let (history, of_next) = (app.history(created.invoice_id()).await, app.history(next.invoice_id()).await);
    if was_disturbed(&history, 0) || was_disturbed(&of_next, 0) {
        return None;
    }
    assert_eq!(polled, polls, "with an address nobody has to poll");
    assert_eq!(history.count(EventType::WorkflowTaskCompleted), 1, "{}", history.outline());
    assert_eq!(history.count(EventType::WorkflowExecutionUpdateCompleted), 1, "{}", history.outline());
    Some(())
}

#[tokio::test]
async fn a_whole_life_fits_its_budget() {
    let settings = Settings::isolated().env(Part::Api, "PERDURA_INVOICE_MONITORING", "2s");
    let app = TestApp::isolated(settings).await;
    let merchant = app.merchant();
    // A last look comes before each deadline: the end of the monitoring, and of the time to pay.
    tokio::join!(assert_fits(40, 1, || paid(&app, &merchant)), assert_fits(34, 2, || expired(&app, &merchant)));
}

/// An address that has to be made first is not part of the budget.
async fn created(app: &TestApp, merchant: &Merchant, body: &Value) -> Answer {
    app.fill_pool(merchant, 1).await;
    merchant.create(body).await
}

async fn paid(app: &TestApp, merchant: &Merchant) -> History {
    let created = created(app, merchant, &Merchant::invoice()).await;
    app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
    merchant.until(created.invoice_id(), "payment_confirmation").await;
    app.mine("tron", 20).await;
    merchant.until(created.invoice_id(), "finished").await;
    closed_history(app, created.invoice_id()).await
}

async fn expired(app: &TestApp, merchant: &Merchant) -> History {
    let mut short = Merchant::invoice();
    short["expires_in_seconds"] = json!(1);
    let created = created(app, merchant, &short).await;
    closed_history(app, created.invoice_id()).await
}
