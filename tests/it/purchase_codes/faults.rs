//! Mambu and CIAM slow, down, unreadable, and doing what they are asked without saying so.

use std::time::Duration;

use futures::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::json;
use stack::Part;
use system_tests::{Answer, PROVIDER, TestApp, eventually, within};
use temporalio_client::{UntypedWorkflow, WorkflowTerminateOptions};
use workflows::purchase_codes::workflow_id;

use super::{HASTY, assert_disbursed_once, assert_untouched, hasty, runs_of};

const DISBURSE: (&str, &str) = ("mambu", "disburse");
const SEARCH: (&str, &str) = ("mambu", "search");
const SCHEDULE: (&str, &str) = ("mambu", "schedule");
const READ_LOAN: (&str, &str) = ("mambu", "read_loan");
const VALIDATE: (&str, &str) = ("ciam", "validate");
const STATUS: (&str, &str) = ("ciam", "status");
/// Every way to fail, and how often before it ends. Some are done and not told, some are not done.
const KINDS: [(&str, u32); 10] = [
    ("execute_then_timeout", 1),
    ("execute_then_error", 1),
    ("malformed", 1),
    ("status_102", 1),
    ("slow", 1),
    ("timeout", 1),
    ("error", 3),
    ("rate_limited", 5),
    ("rate_limited_silently", 3),
    ("html", 2),
];

/// Issues one code for each kind of fault that meets it on its way.
async fn issue_through(app: &TestApp, operation: (&'static str, &'static str), kinds: &[(&'static str, u32)]) {
    let frontend = &app.frontend();
    let through = |(kind, times)| async move {
        let loan = app.open_loan().await;
        let name = if operation.0 == "mambu" { &loan.id } else { &loan.client_id };
        app.fail(operation, kind, name, times).await;
        let purchase = frontend.issue(&loan).await;
        let what = format!("{operation:?} {kind}");
        assert_disbursed_once(app, &loan, &what).await;
        assert_eq!(app.aws().purchase(purchase.id).await["status"], "GENERADO", "{what}");
    };
    join_all(kinds.iter().copied().map(through)).await;
}

#[tokio::test]
async fn whatever_becomes_of_a_disbursement_there_is_one() {
    issue_through(&HASTY.app(), DISBURSE, &KINDS).await;
}

#[tokio::test]
async fn whatever_becomes_of_a_validation_the_password_is_spent_once() {
    issue_through(&HASTY.app(), VALIDATE, &KINDS).await;
}

#[tokio::test]
async fn what_only_looks_may_fail_before_and_after() {
    let app = HASTY.app();
    let kinds = [("error", 2), ("malformed", 1), ("timeout", 1), ("html", 1)];
    join(issue_through(&app, READ_LOAN, &kinds), issue_through(&app, SCHEDULE, &kinds)).await;
}

#[tokio::test]
async fn while_mambu_cannot_be_read_no_password_is_spent() {
    let app = HASTY.app();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(READ_LOAN, "error", &loan.id).await;
    let refused = frontend.ask("key", &loan.request()).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::SERVICE_UNAVAILABLE, "otp_unanswered"));
    app.mend(&loan.id).await;
    assert_eq!(frontend.ask("key", &loan.request()).await.text("code"), "otp_unanswered", "the key has its answer");
    assert_untouched(&app, &loan, "unread").await;
    frontend.issue(&loan).await;
    assert_disbursed_once(&app, &loan, "with the same password").await;
}

#[tokio::test]
async fn a_validation_that_nobody_can_read_moves_no_money() {
    let app = HASTY.app();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    let reference = frontend.purchase_id("key").to_string();
    app.fail(VALIDATE, "execute_then_error", &loan.client_id, 1).await;
    app.break_down(STATUS, "error", &reference).await;
    let refused = frontend.ask("key", &loan.request()).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::SERVICE_UNAVAILABLE, "otp_unanswered"));
    app.mend(&reference).await;
    assert_untouched(&app, &loan, "spent for nothing").await;

    app.hand_out(&loan.client_id, json!({})).await;
    frontend.issue(&loan).await;
    assert_eq!(app.disbursements(&loan).await.len(), 1);
}

#[tokio::test]
async fn a_disbursement_that_was_sent_is_waited_for_and_operators_are_told() {
    let app = HASTY.app();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(DISBURSE, "error", &loan.id).await;
    let pending = || Answer::to(frontend.asking("key", &loan.request()));
    let taken = eventually("a 202", pending, |answer| answer.status == StatusCode::ACCEPTED).await;
    assert_eq!(taken.text("purchase_id"), frontend.purchase_id("key").to_string());
    assert!(taken.headers.contains_key("retry-after"));
    app.until_runs(&runs_of(&loan, "ExecutionStatus = 'Running' AND NeedsAttention = true"), 1).await;
    let elsewhere = frontend.ask("another key", &loan.request()).await;
    assert_eq!((elsewhere.status, elsewhere.text("code")), (StatusCode::CONFLICT, "purchase_active"));
    let asked = || app.mambu_calls("disburse", &loan.id);
    eventually("being asked again and again", asked, |calls| calls.len() > 3).await;

    app.mend(&loan.id).await;
    let issued = frontend.ask("key", &loan.request()).await;
    assert_eq!(issued.status, StatusCode::CREATED, "{issued:#?}");
    assert_disbursed_once(&app, &loan, "after a long time").await;
    app.until_runs(&runs_of(&loan, "NeedsAttention = false"), 1).await;
}

#[tokio::test]
async fn after_six_hours_what_was_done_is_found_by_our_own_id() {
    let app = HASTY.app();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    let purchase_id = frontend.purchase_id("key").to_string();
    app.fail(DISBURSE, "execute_then_error", &loan.id, 1).await;
    app.break_down(SEARCH, "error", &purchase_id).await;
    let hours_pass = async {
        app.until_struck(&purchase_id).await;
        app.control("/mambu/keys/forget", json!({})).await;
        app.mend(&purchase_id).await;
    };
    let body = loan.request();
    let (issued, ()) = join(frontend.ask("key", &body), hours_pass).await;
    assert_eq!(issued.status, StatusCode::CREATED, "{issued:#?}");
    assert_eq!(app.mambu_calls("disburse", &loan.id).await.len(), 1, "it was not sent again");
    assert_disbursed_once(&app, &loan, "without the key").await;
}

/// An operator ends the run by hand between the disbursement and its record. The money is out: a repeat with the key finds
/// that, spends no password and sends nothing, whatever Mambu remembers of the key.
#[tokio::test]
async fn a_run_that_was_ended_by_hand_after_the_disbursement_goes_on_with_it() {
    let app = HASTY.app();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(SCHEDULE, "error", &loan.id).await;
    let pending = || Answer::to(frontend.asking("key", &loan.request()));
    eventually("a 202", pending, |answer| answer.status == StatusCode::ACCEPTED).await;
    let disbursed = || app.disbursements(&loan);
    eventually("the disbursement", disbursed, |disbursed| disbursed.len() == 1).await;
    let temporal = app.temporal().await;
    let run = temporal.get_workflow_handle::<UntypedWorkflow>(workflow_id(frontend.purchase_id("key")));
    run.terminate(WorkflowTerminateOptions::default()).await.unwrap();

    app.control("/mambu/keys/forget", json!({})).await;
    app.mend(&loan.id).await;
    let issued = frontend.ask("key", &loan.request()).await;
    assert_eq!(issued.status, StatusCode::CREATED, "{issued:#?}");
    assert_eq!(app.mambu_calls("disburse", &loan.id).await.len(), 1, "it was not sent again");
    assert_disbursed_once(&app, &loan, "after the end by hand").await;
    let purchase = frontend.issued("key", &loan, issued);
    assert_eq!(app.till(PROVIDER).try_to_use(&purchase).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_loan_that_somebody_else_disburses_meanwhile_gets_no_code() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(VALIDATE, "error", &loan.client_id).await;
    let somebody = async {
        app.until_struck(&loan.client_id).await;
        app.control(&format!("/mambu/loans/{}/disburse", loan.id), json!({ "external_id": loan.id })).await;
        app.mend(&loan.client_id).await;
    };
    let body = loan.request();
    let (refused, ()) = join(frontend.ask("key", &body), somebody).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::CONFLICT, "loan_disbursed_elsewhere"));
    assert_eq!(app.disbursements(&loan).await.len(), 1, "theirs");
    assert_eq!(app.adjustments(&loan).await.len(), 0, "it is theirs to reverse");
    assert!(app.aws().disbursement(frontend.purchase_id("key")).await.is_null());
    let scanned = app.till(PROVIDER).scan("key", &loan.id, "000000000000000000011").await;
    assert_eq!(scanned.status, StatusCode::NOT_FOUND, "there is no code to scan");
    app.until_runs(&runs_of(&loan, "NeedsAttention = true"), 1).await;
}

#[tokio::test]
async fn what_mambu_refuses_is_refused_and_the_loan_is_free() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(VALIDATE, "error", &loan.client_id).await;
    let withdrawn = async {
        app.until_struck(&loan.client_id).await;
        app.by_hand(&format!("/loans/{}:changeState", loan.id), &json!({ "action": "WITHDRAW" })).await;
        app.mend(&loan.client_id).await;
    };
    let body = loan.request();
    let (refused, ()) = join(frontend.ask("key", &body), withdrawn).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::UNPROCESSABLE_ENTITY, "disbursement_refused"));
    assert_eq!(refused.text("reason"), "INVALID_ACCOUNT_STATE");
    assert_eq!(app.disbursements(&loan).await.len(), 0);
    let aws = app.aws();
    let record = aws.purchase(frontend.purchase_id("key")).await;
    assert!(record["status"].is_null() && record["refusal"].is_string(), "{record:#}");
    assert_eq!(aws.credit(&loan.id).await["claimed"], false);
}

/// With the usual pauses of up to half a minute Mambu is asked about 130 times in an hour. Here the pauses are short.
#[tokio::test]
async fn mambu_is_asked_as_often_as_an_hour_takes_and_disburses_once() {
    const AN_HOUR: u64 = 130;
    let settings = hasty().env(Part::Api, "PERDURA_PURCHASE_RETRY_AT_MOST", "20ms");
    let app = TestApp::isolated(settings).await;
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.break_down(DISBURSE, "error", &loan.id).await;
    let pending = || Answer::to(frontend.asking("key", &loan.request()));
    eventually("a 202", pending, |answer| answer.status == StatusCode::ACCEPTED).await;
    let asked = || async { u64::try_from(app.mambu_calls("disburse", &loan.id).await.len()).unwrap() };
    // Temporal lets an attempt wait for a second at least.
    within(4 * Duration::from_secs(AN_HOUR), asked, |asked| *asked >= AN_HOUR).await.unwrap();
    app.until_runs(&runs_of(&loan, "ExecutionStatus = 'Running' AND NeedsAttention = true"), 1).await;
    assert_eq!(app.disbursements(&loan).await.len(), 0);

    app.mend(&loan.id).await;
    assert_eq!(frontend.ask("key", &loan.request()).await.status, StatusCode::CREATED);
    assert_disbursed_once(&app, &loan, "after an hour").await;
}
