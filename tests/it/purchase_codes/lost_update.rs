//! A purchase was begun, and the task that began it was lost, with the update that had asked for it and the one-time
//! password: perhaps nobody ever asks its run.

use reqwest::StatusCode;
use stack::{Part, Settings};
use system_tests::{Answer, PROVIDER, TestApp, eventually};
use uuid::Uuid;
use workflows::purchase_codes::workflow_id;

use super::{BRIEF, HASTY, assert_disbursed_once, assert_reversed_once, hasty, until_closed};

const READ: (&str, &str) = ("mambu", "read_loan");
const ADJUST: (&str, &str) = ("mambu", "adjust");
const SCHEDULE: (&str, &str) = ("mambu", "schedule");

#[tokio::test]
async fn its_loan_is_free_again() {
    let patient = hasty().env(Part::Api, "PERDURA_PURCHASE_PATIENCE", "1h");
    let app = TestApp::isolated(patient).await;
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(READ, "error", &loan.id).await;
    let asking = || Answer::to(frontend.asking("lost", &loan.request()));
    eventually("a purchase that is not decided", asking, |answer| answer.status == StatusCode::ACCEPTED).await;
    let taken = frontend.ask("too early", &loan.request()).await;
    assert_eq!((taken.status, taken.text("code")), (StatusCode::CONFLICT, "purchase_active"), "{taken:#?}");

    app.lose_first_task(workflow_id(frontend.purchase_id("lost"))).await;
    app.mend(&loan.id).await;
    until_closed(&app, frontend.purchase_id("lost")).await;
    let purchase = frontend.issue(&loan).await;
    assert_disbursed_once(&app, &loan, "the next purchase").await;
    let lost = frontend.ask("lost", &loan.request()).await;
    assert_eq!((lost.status, lost.text("code")), (StatusCode::SERVICE_UNAVAILABLE, "otp_unanswered"), "{lost:#?}");
    assert_eq!(app.till(PROVIDER).try_to_use(&purchase).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_it_had_disbursed_gets_its_code() {
    let app = HASTY.app();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(SCHEDULE, "error", &loan.id).await;
    let asking = || Answer::to(frontend.asking("lost", &loan.request()));
    eventually("a purchase that is not decided", asking, |answer| answer.status == StatusCode::ACCEPTED).await;
    eventually("the disbursement", || app.disbursements(&loan), |disbursed| disbursed.len() == 1).await;

    app.lose_first_task(workflow_id(frontend.purchase_id("lost"))).await;
    app.mend(&loan.id).await;
    let (aws, purchase_id) = (app.aws(), frontend.purchase_id("lost"));
    let record = || aws.purchase(purchase_id);
    eventually("the code", record, |record| record["status"] == "GENERADO").await;
    let issued = frontend.ask("lost", &loan.request()).await;
    assert_disbursed_once(&app, &loan, "before it was lost").await;
    let purchase = frontend.issued("lost", &loan, issued);
    assert_eq!(app.till(PROVIDER).try_to_use(&purchase).await.status, StatusCode::OK);
}

#[tokio::test]
async fn its_code_is_scanned_before_anybody_has_to_ask() {
    let patient = Settings::isolated().env(Part::Api, "PERDURA_PURCHASE_FIRST_UPDATE", "1h");
    let app = TestApp::isolated(patient).await;
    let purchase = app.frontend().issue(&app.open_loan().await).await;
    app.lose_first_task(workflow_id(purchase.id)).await;
    let used = app.till(PROVIDER).scan(&Uuid::new_v4().to_string(), &purchase.loan.id, purchase.code()).await;
    assert_eq!(used.status, StatusCode::OK, "{used:#?}");
    assert!(app.adjustments(&purchase.loan).await.is_empty());
}

#[tokio::test]
async fn its_code_ends_and_is_reversed_once() {
    let app = BRIEF.app();
    let loan = app.open_loan().await;
    app.break_down(ADJUST, "error", &loan.id).await;
    let purchase = app.frontend().issue(&loan).await;
    app.lose_first_task(workflow_id(purchase.id)).await;
    app.mend(&loan.id).await;
    assert_reversed_once(&app, &app.aws(), &purchase, "lost").await;
    until_closed(&app, purchase.id).await;
}
