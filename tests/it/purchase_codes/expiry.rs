//! The end of the time to scan: the code is over, the money comes back, once, and a scan at that instant wins or loses.

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Aws, Device, Frontend, Loan, PROVIDER, Purchase, TestApp, eventually};
use tokio::time::sleep;

use super::{BRIEF, assert_reversed_once, runs_of, until_closed};

const ADJUST: (&str, &str) = ("mambu", "adjust");
/// Codes of which one has to have time left when it is issued.
const TRIES: usize = 10;
const NEEDS_ATTENTION: &str = "ExecutionStatus = 'Running' AND NeedsAttention = true";

fn assert_too_late(answer: &Answer) {
    assert_eq!((answer.status, answer.text("code")), (StatusCode::FORBIDDEN, "code_not_valid"), "{answer:#?}");
    assert_eq!(answer.text("reason"), "expired");
}

async fn until_over(aws: &Aws, purchase: &Purchase) {
    let record = || aws.purchase(purchase.id);
    eventually("the end of the code", record, |record| record["status"] == "VENCIDO").await;
}

/// Where Mambu is asked to reverse the disbursement of a loan.
async fn adjusting(app: &TestApp, loan: &Loan) -> String {
    let disbursed = app.disbursements(loan).await;
    format!("/loans/transactions/{}:adjust", disbursed[0]["detail"]["transaction_id"].as_str().unwrap())
}

#[tokio::test]
async fn an_unused_code_ends_and_its_disbursement_is_reversed_once() {
    let app = BRIEF.app();
    let (frontend, till) = (app.frontend(), app.till(PROVIDER));
    let loan = app.open_loan().await;
    let purchase = frontend.issue(&loan).await;
    let read = || frontend.read(&purchase);
    let over = eventually("the end of the code", read, |answer| answer.body["state"] == "VENCIDO").await;
    assert!(Utc::now() >= purchase.expires_at(), "{over:#?}");
    assert_too_late(&till.try_to_use(&purchase).await);
    let valid = till.get(&format!("{}/valid", purchase.path())).await;
    assert_eq!((valid.text("status"), &valid.body["valid"]), ("VENCIDO", &json!(false)));
    assert_reversed_once(&app, &app.aws(), &purchase, "unused").await;
    until_closed(&app, purchase.id).await;
    assert_too_late(&till.try_to_use(&purchase).await);

    // The loan is as free as before, and its next purchase has another code.
    app.hand_out(&loan.client_id, json!({})).await;
    let next = frontend.issue(&loan).await;
    assert_ne!(next.code(), purchase.code());
    assert_eq!(app.disbursements(&loan).await.len(), 2);
}

#[tokio::test]
async fn whatever_becomes_of_a_reversal_there_is_one() {
    let app = BRIEF.app();
    let (frontend, aws) = (&app.frontend(), &app.aws());
    let through = |(kind, times)| {
        let app = &app;
        async move {
            let loan = app.open_loan().await;
            app.fail(ADJUST, kind, &loan.id, times).await;
            let purchase = frontend.issue(&loan).await;
            assert_reversed_once(app, aws, &purchase, kind).await;
            let calls = app.mambu_calls("adjust", &adjusting(app, &loan).await).await;
            assert!(calls.iter().all(|call| call["body_sha256"] == calls[0]["body_sha256"]), "{kind}: {calls:#?}");
        }
    };
    let kinds = [
        ("execute_then_timeout", 1),
        ("execute_then_error", 1),
        ("malformed", 1),
        ("status_102", 1),
        ("timeout", 1),
        ("error", 3),
        ("rate_limited", 3),
        ("html", 2),
    ];
    join_all(kinds.map(through)).await;
}

/// A code that is not over in a moment, and where its disbursement is reversed: a machine that pauses has to try again.
async fn with_time_left(app: &TestApp) -> (Purchase, String) {
    for _ in 0..TRIES {
        let purchase = app.frontend().issue(&app.open_loan().await).await;
        let path = adjusting(app, &purchase.loan).await;
        if Utc::now() + TimeDelta::seconds(1) < purchase.expires_at() {
            return (purchase, path);
        }
    }
    panic!("of {TRIES} codes none had a second left");
}

#[tokio::test]
async fn a_disbursement_that_somebody_reversed_already_is_done_with() {
    let app = BRIEF.app();
    let (purchase, path) = with_time_left(&app).await;
    app.by_hand(&path, &json!({ "notes": "by hand" })).await;
    assert_reversed_once(&app, &app.aws(), &purchase, "by hand").await;
    until_closed(&app, purchase.id).await;
}

#[tokio::test]
async fn a_repayment_stands_in_the_way_until_a_person_removes_it() {
    let app = BRIEF.app();
    let (aws, loan) = (app.aws(), app.open_loan().await);
    app.break_down(ADJUST, "error", &loan.id).await;
    let purchase = app.frontend().issue(&loan).await;
    let repaid = app.control(&format!("/mambu/loans/{}/repay", loan.id), json!({})).await;
    app.mend(&loan.id).await;
    until_over(&aws, &purchase).await;
    app.until_runs(&runs_of(&loan, NEEDS_ATTENTION), 1).await;
    let path = adjusting(&app, &loan).await;
    let asked = app.mambu_calls("adjust", &path).await.len();
    let calls = || app.mambu_calls("adjust", &path);
    eventually("another try", calls, |calls| calls.len() > asked).await;
    assert_eq!(app.adjustments(&loan).await.len(), 0);
    assert_eq!(app.loan_at_mambu(&loan).await["state"], "ACTIVE", "still pending");

    let repayment = repaid["transaction_id"].as_str().unwrap();
    app.by_hand(&format!("/loans/transactions/{repayment}:adjust"), &json!({ "notes": "paid back" })).await;
    assert_reversed_once(&app, &aws, &purchase, "unblocked").await;
    app.until_runs(&runs_of(&loan, "NeedsAttention = false"), 1).await;
}

#[tokio::test]
async fn while_mambu_is_down_the_code_is_over_and_the_reversal_pending() {
    let app = BRIEF.app();
    let (aws, frontend, till) = (app.aws(), app.frontend(), app.till(PROVIDER));
    let loan = app.open_loan().await;
    app.break_down(ADJUST, "error", &loan.id).await;
    let purchase = frontend.issue(&loan).await;
    until_over(&aws, &purchase).await;
    app.until_runs(&runs_of(&loan, NEEDS_ATTENTION), 1).await;
    assert_too_late(&till.try_to_use(&purchase).await);
    assert_eq!(frontend.read(&purchase).await.text("state"), "VENCIDO");
    app.hand_out(&loan.client_id, json!({})).await;
    let next = frontend.ask("too early", &loan.request()).await;
    assert_eq!((next.status, next.text("code")), (StatusCode::CONFLICT, "purchase_active"));
    assert_eq!(app.adjustments(&loan).await.len(), 0);

    app.mend(&loan.id).await;
    assert_reversed_once(&app, &aws, &purchase, "Mambu is back").await;
}

/// Around the end of the time to scan, in milliseconds: early enough, too late, and at the very instant.
const MOMENTS: [i64; 12] = [-1500, -700, -200, -50, -20, -10, -5, 0, 0, 5, 20, 200];
const RACES: usize = 3;
/// Where a machine that pauses lets one side win all of them there are more.
const MOST_RACES: usize = 10;

/// Scans a new code at that moment. Whether the scan was in time.
async fn scanned_at(app: &TestApp, frontend: &Frontend, till: &Device, moment: i64) -> (Purchase, bool) {
    let purchase = frontend.issue(&app.open_loan().await).await;
    let wait = purchase.expires_at() + TimeDelta::milliseconds(moment) - Utc::now();
    sleep(wait.to_std().unwrap_or_default()).await;
    let answer = till.try_to_use(&purchase).await;
    if answer.status == StatusCode::OK {
        assert_eq!(answer.text("state"), "USADO");
        return (purchase, true);
    }
    assert_too_late(&answer);
    (purchase, false)
}

async fn assert_only_one_won(app: &TestApp, aws: &Aws, purchase: &Purchase, in_time: bool) {
    if !in_time {
        return assert_reversed_once(app, aws, purchase, "too late").await;
    }
    let record = aws.purchase(purchase.id).await;
    assert_eq!(record["status"], "USADO", "{record:#}");
    assert_eq!(app.adjustments(&purchase.loan).await.len(), 0, "used, and reversed: {record:#}");
    assert_eq!(app.loan_at_mambu(&purchase.loan).await["state"], "ACTIVE");
}

#[tokio::test]
async fn of_a_scan_and_the_end_at_one_instant_one_wins() {
    let app = BRIEF.app();
    let (aws, frontend, till) = (app.aws(), app.frontend(), app.till(PROVIDER));
    let (mut outcomes, mut rounds) = ([0, 0], 0);
    while rounds < RACES || (rounds < MOST_RACES && outcomes.contains(&0)) {
        rounds += 1;
        let races = join_all(MOMENTS.map(|moment| scanned_at(&app, &frontend, &till, moment))).await;
        for (purchase, in_time) in races {
            outcomes[usize::from(in_time)] += 1;
            until_closed(&app, purchase.id).await;
            assert_only_one_won(&app, &aws, &purchase, in_time).await;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "only one of both ever won: {outcomes:?}");
}
