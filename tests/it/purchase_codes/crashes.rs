//! The worker and Temporal killed with -9 in the middle of everything, DynamoDB away when it matters, and no S3 at all.

use std::iter::zip;

use futures::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::json;
use stack::{Part, Settings};
use system_tests::{Answer, Frontend, Loan, PROVIDER, Picture, Purchase, TestApp, eventually};
use temporalio_client::{UntypedWorkflow, WorkflowDescribeOptions};
use workflows::purchase_codes::workflow_id;

use super::{assert_disbursed_once, hasty};

/// Where an issue is held while everything is killed that drives it: which answer does not come, and whether what was
/// asked is done.
const STEPS: [(&str, &str, &str); 6] = [
    ("mambu", "read_loan", "timeout"),
    ("ciam", "validate", "timeout"),
    ("ciam", "validate", "execute_then_timeout"),
    ("mambu", "disburse", "timeout"),
    ("mambu", "disburse", "execute_then_timeout"),
    // Disbursed and heard of, and not kept yet.
    ("mambu", "schedule", "timeout"),
];

/// Attempts that died with a worker are soon given up, those that are held are held for long. The API knows no S3.
fn settings() -> Settings {
    hasty()
        .env(Part::Worker, "PERDURA_MAMBU_TIMEOUT", "20s")
        .env(Part::Worker, "PERDURA_CIAM_TIMEOUT", "20s")
        .env(Part::Api, "PERDURA_PURCHASE_PATIENCE", "2m")
        .env(Part::Api, "PERDURA_PURCHASE_ATTEMPT", "5s")
        .env(Part::Api, "PERDURA_S3_URL", "http://127.0.0.1:1")
}

fn name((system, ..): (&str, &str, &str), loan: &Loan) -> String {
    if system == "mambu" { loan.id.clone() } else { loan.client_id.clone() }
}

#[tokio::test]
async fn whatever_dies_while_a_code_is_issued_it_is_issued_once() {
    let app = TestApp::isolated(settings()).await;
    let frontend = app.frontend();
    let before = frontend.issue(&app.open_loan().await).await;

    let mut purchases = killed_at_every_step(&app, &frontend).await;
    purchases.push(killed_while_the_tables_are_away(&app, &frontend).await);
    draws_without_a_bucket(&app, &frontend, &before).await;
    purchases.push(before);
    let (aws, till) = (app.aws(), app.till(PROVIDER));
    for purchase in purchases {
        assert_eq!(aws.purchase(purchase.id).await["status"], "GENERADO");
        assert_eq!(till.try_to_use(&purchase).await.status, StatusCode::OK);
        assert!(app.adjustments(&purchase.loan).await.is_empty());
    }
}

/// One purchase is held at each step, and all of them lose their worker and Temporal at once.
async fn killed_at_every_step(app: &TestApp, frontend: &Frontend) -> Vec<Purchase> {
    let loans = join_all(STEPS.map(|_| app.open_loan())).await;
    for ((system, operation, kind), loan) in zip(STEPS, &loans) {
        app.break_down((system, operation), kind, &name((system, operation, kind), loan)).await;
    }
    let asked = join_all(loans.iter().map(|loan| Answer::to(frontend.asking(&loan.id, &loan.request()))));
    let killed = async {
        join_all(zip(STEPS, &loans).map(|(step, loan)| async move { app.until_struck(&name(step, loan)).await })).await;
        app.stack().kill(Part::Worker).unwrap();
        app.stack().kill(Part::Temporal).unwrap();
        for (step, loan) in zip(STEPS, &loans) {
            app.mend(&name(step, loan)).await;
        }
        app.stack().launch(Part::Temporal).await.unwrap();
        app.stack().launch(Part::Worker).await.unwrap();
    };
    join(asked, killed).await;
    let mut purchases = Vec::new();
    for (step, loan) in zip(STEPS, &loans) {
        let answer = frontend.ask(&loan.id, &loan.request()).await;
        let again = frontend.ask(&loan.id, &loan.request()).await;
        assert_eq!(again.body, answer.body, "{step:?}");
        assert_disbursed_once(app, loan, &format!("{step:?}")).await;
        purchases.push(frontend.issued(&loan.id, loan, answer));
    }
    purchases
}

/// Mambu has disbursed; DynamoDB goes away before that is kept, and then the worker dies, too.
async fn killed_while_the_tables_are_away(app: &TestApp, frontend: &Frontend) -> Purchase {
    let loan = app.open_loan().await;
    app.break_down(("mambu", "schedule"), "error", &loan.id).await;
    let asked = Answer::to(frontend.asking("without tables", &loan.request()));
    let killed = async {
        app.until_struck(&loan.id).await;
        app.stack().terminate(Part::Aws).await.unwrap();
        app.mend(&loan.id).await;
        until_it_cannot_be_kept(app, frontend).await;
        app.stack().kill(Part::Worker).unwrap();
        app.stack().launch(Part::Aws).await.unwrap();
        app.stack().launch(Part::Worker).await.unwrap();
    };
    join(asked, killed).await;
    let answer = frontend.ask("without tables", &loan.request()).await;
    assert_disbursed_once(app, &loan, "kept later").await;
    frontend.issued("without tables", &loan, answer)
}

async fn until_it_cannot_be_kept(app: &TestApp, frontend: &Frontend) {
    let temporal = app.temporal().await;
    let run = temporal.get_workflow_handle::<UntypedWorkflow>(workflow_id(frontend.purchase_id("without tables")));
    let pending = || async {
        let description = run.describe(WorkflowDescribeOptions::default()).await.unwrap();
        let pending = description.raw().pending_activities.iter();
        pending.filter_map(|activity| Some(activity.activity_type.as_ref()?.name.clone())).collect::<Vec<_>>()
    };
    let is_store = |pending: &Vec<String>| pending.iter().any(|name| name == "purchase_records.store");
    eventually("the step that keeps the disbursement", pending, is_store).await;
}

/// S3 only saves drawing.
async fn draws_without_a_bucket(app: &TestApp, frontend: &Frontend, purchase: &Purchase) {
    let voucher = frontend.download(purchase).await;
    assert_eq!(voucher.status, StatusCode::OK);
    let content = purchase.details["qr"]["content"].as_str();
    assert_eq!(Picture::of_png(&voucher.body).qr().as_deref(), content);
    assert!(!app.aws().has_voucher(purchase.id).await);
    let ready = app.http().get(app.api("/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK, "the API goes on without it");
    let told: serde_json::Value = ready.json().await.unwrap();
    assert_eq!(told["dependencies"]["s3"], json!("unreachable"));
}
