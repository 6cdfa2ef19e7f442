//! From the one-time password to the code: what is issued, what is refused, and what is issued only once.

use chrono::{DateTime, TimeDelta};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::{Answer, Frontend, Loan, PROVIDER, Picture, TestApp};

use super::{assert_disbursed_once, assert_untouched, runs_of};

/// Wrong for every client.
const WRONG: &str = "000000";

fn with(body: &Value, field: &str, value: &str) -> Value {
    let mut body = body.clone();
    body[field] = json!(value);
    body
}

#[tokio::test]
async fn a_password_becomes_a_code_that_is_scanned_once() {
    let app = TestApp::shared();
    let (frontend, till) = (app.frontend(), app.till(PROVIDER));
    let loan = app.open_loan().await;
    let due = app.loan_at_mambu(&loan).await["first_due_date"].take();

    let purchase = frontend.issue(&loan).await;
    let details = &purchase.details;
    for (field, value) in [
        ("credit_id", &json!(loan.credit_line_id)),
        ("loan_account_id", &json!(loan.id)),
        ("provider", &json!(PROVIDER)),
        ("amount", &json!("1250.00")),
        ("currency", &json!("MXN")),
        ("state", &json!("GENERADO")),
        ("first_payment_date", &due),
        ("updated_at", &details["created_at"]),
    ] {
        assert_eq!(&details[field], value, "{field}");
    }
    let created_at = DateTime::parse_from_rfc3339(details["created_at"].as_str().unwrap()).unwrap();
    assert_eq!(purchase.expires_at() - created_at.to_utc(), TimeDelta::hours(72));

    let voucher = frontend.download(&purchase).await;
    assert_eq!(voucher.status, StatusCode::OK);
    let seen = Picture::of_png(&voucher.body).qr().unwrap();
    let used = till.scan("first", &loan.id, &seen).await;
    assert_eq!(used.status, StatusCode::OK, "{used:#?}");
    assert_eq!(used.text("state"), "USADO");
    let refused = till.scan("second", &loan.id, &seen).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!((refused.text("code"), refused.text("reason")), ("code_not_valid", "already_used"));

    assert_disbursed_once(&app, &loan, "the whole story").await;
    assert!(app.adjustments(&loan).await.is_empty());
    assert_eq!(app.loan_at_mambu(&loan).await["state"], "ACTIVE");
}

#[tokio::test]
async fn a_purchase_is_read_by_its_frontend_and_its_provider_alone() {
    let app = TestApp::shared();
    let (frontend, till) = (app.frontend(), app.till(PROVIDER));
    let purchase = frontend.issue(&app.open_loan().await).await;
    let path = purchase.path();

    let read = frontend.read(&purchase).await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, &purchase.details));
    assert_eq!(till.get(&path).await.body, purchase.details);
    let singular = path.replace("/credit-lines/", "/credit-line/").replace("/purchases/", "/purchase/");
    assert_eq!(frontend.get(&singular).await.body, purchase.details);
    let known = frontend.request(Method::GET, &path).header("If-None-Match", &read.headers["etag"]);
    assert_eq!(Answer::to(known).await.status, StatusCode::NOT_MODIFIED);

    let valid = till.get(&format!("{path}/valid")).await;
    assert_eq!((valid.text("clientId"), &valid.body["valid"]), (purchase.loan.client_id.as_str(), &json!(true)));
    assert_eq!(frontend.get(&format!("{path}/valid")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(app.frontend().get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.till("P-2").get(&path).await.status, StatusCode::NOT_FOUND);
    let elsewhere = path.replace(&purchase.loan.credit_line_id, "CL-1");
    assert_eq!(frontend.get(&elsewhere).await.status, StatusCode::NOT_FOUND);
    let unknown = path.replace(purchase.code(), "000000000000000000011");
    assert_eq!(frontend.get(&unknown).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn three_wrong_passwords_lock_the_client_and_touch_no_loan() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    let wrong = with(&loan.request(), "otp", WRONG);
    for attempts_left in [2, 1] {
        let refused = frontend.ask(&format!("wrong {attempts_left}"), &wrong).await;
        assert_eq!((refused.status, refused.text("code")), (StatusCode::FORBIDDEN, "otp_refused"));
        assert_eq!(refused.body["attempts_left"], attempts_left, "{refused:#?}");
        let again = frontend.ask(&format!("wrong {attempts_left}"), &wrong).await;
        assert_eq!(again.body["attempts_left"], attempts_left, "a repeat counts nothing");
    }
    let locked = frontend.ask("wrong 0", &wrong).await;
    assert_eq!((locked.status, locked.text("code")), (StatusCode::FORBIDDEN, "otp_locked"));
    assert!(locked.body["locked_until"].is_string(), "{locked:#?}");
    let right = frontend.ask("right", &loan.request()).await;
    assert_eq!((right.status, right.text("code")), (StatusCode::FORBIDDEN, "otp_locked"));
    assert_untouched(&app, &loan, "locked").await;
}

#[tokio::test]
async fn a_password_that_is_used_expired_or_unknown_is_refused() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let (first, expired, unknown) = (app.open_loan().await, Loan::of_new_client(), Loan::of_new_client());
    let second = first.another();
    for loan in [&second, &expired, &unknown] {
        app.add_loan(loan, json!({})).await;
    }
    app.hand_out(&expired.client_id, json!({ "expires_in_seconds": 0 })).await;
    frontend.issue(&first).await;
    for (loan, what) in [(&second, "used"), (&expired, "expired"), (&unknown, "none was handed out")] {
        let refused = frontend.ask(what, &loan.request()).await;
        assert_eq!((refused.status, refused.text("code")), (StatusCode::FORBIDDEN, "otp_refused"), "{what}");
        assert_untouched(&app, loan, what).await;
    }
}

/// What a password is bound to, as CIAM gets it.
fn binding(loan: &Loan, amount: &str, provider: &str) -> String {
    hex::encode(Sha256::digest(json!([loan.id, amount, "MXN", provider]).to_string()))
}

#[tokio::test]
async fn a_password_for_another_provider_or_loan_confirms_nothing_and_is_not_spent() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = Loan::of_new_client();
    let other = loan.another();
    app.add_loan(&loan, json!({})).await;
    app.add_loan(&other, json!({})).await;
    app.hand_out(&loan.client_id, json!({ "binding": binding(&loan, "1250.00", PROVIDER) })).await;
    for (key, body) in
        [("another provider", with(&loan.request(), "provider", "P-2")), ("another loan", other.request())]
    {
        let refused = frontend.ask(key, &body).await;
        assert_eq!((refused.status, refused.text("code")), (StatusCode::FORBIDDEN, "otp_refused"), "{key}");
    }
    assert_untouched(&app, &other, "another loan").await;
    frontend.issue(&loan).await;
    assert_disbursed_once(&app, &loan, "what it was bound to").await;
}

async fn assert_loan_refused(frontend: &Frontend, body: &Value, field: &str) {
    let refused = frontend.ask(field, body).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::UNPROCESSABLE_ENTITY, "loan_refused"), "{field}");
    let errors = refused.body["errors"].as_array().unwrap();
    assert!(errors.iter().any(|error| error["field"] == field), "{field}: {refused:#?}");
}

#[tokio::test]
async fn a_loan_that_is_not_as_the_client_says_is_refused_before_the_password_is_spent() {
    let app = TestApp::shared();
    let (frontend, owner, thief) = (app.frontend(), app.open_loan().await, app.open_loan().await);
    // The thief's own password, and somebody else's loan.
    let theft = with(&owner.request(), "client_id", &thief.client_id);
    assert_loan_refused(&frontend, &theft, "client_id").await;
    assert_loan_refused(&frontend, &with(&owner.request(), "credit_line_id", &thief.credit_line_id), "credit_line_id")
        .await;
    assert_loan_refused(&frontend, &with(&owner.request(), "amount", "1250.01"), "amount").await;
    assert_loan_refused(&frontend, &with(&owner.request(), "loan_account_id", "LN-unknown"), "loan_account_id").await;
    assert_untouched(&app, &owner, "stolen").await;

    for loan in [&thief, &owner] {
        frontend.issue(loan).await;
        assert_disbursed_once(&app, loan, "with its own password").await;
    }
}

#[tokio::test]
async fn a_loan_that_is_not_approved_is_refused_until_it_is() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = Loan::of_new_client();
    app.add_loan(&loan, json!({ "state": "PENDING_APPROVAL" })).await;
    app.hand_out(&loan.client_id, json!({})).await;
    assert_loan_refused(&frontend, &loan.request(), "loan_account_id").await;
    app.by_hand(&format!("/loans/{}:changeState", loan.id), &json!({ "action": "APPROVE" })).await;
    frontend.issue(&loan).await;
    assert_disbursed_once(&app, &loan, "approved").await;
}

#[tokio::test]
async fn one_password_posted_twice_at_once_is_one_purchase() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    for round in 0..5 {
        let loan = app.open_loan().await;
        let other = loan.another();
        app.add_loan(&other, json!({})).await;
        let keys = [format!("{round} one"), format!("{round} two"), format!("{round} other")];
        let bodies = [loan.request(), loan.request(), other.request()];
        let answers = join_all(keys.iter().zip(&bodies).map(|(key, body)| frontend.ask(key, body))).await;

        let issued = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
        assert_eq!(issued, 1, "{answers:#?}");
        for refused in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
            assert!(["otp_refused", "purchase_active"].contains(&refused.text("code")), "{refused:#?}");
        }
        let disbursed = app.disbursements(&loan).await.len() + app.disbursements(&other).await.len();
        assert_eq!((disbursed, app.outside_effects("otp_spent", &loan.client_id).await.len()), (1, 1));
    }
}

#[tokio::test]
async fn one_key_twenty_times_at_once_is_one_purchase_and_one_answer() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    let body = loan.request();
    let answers = join_all((0..20).map(|_| frontend.ask("\"the same key\"", &body))).await;
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:#?}");
        assert_eq!(answer.body, answers[0].body);
    }
    assert_disbursed_once(&app, &loan, "twenty requests").await;
}

#[tokio::test]
async fn another_body_under_the_key_is_refused_and_another_password_is_no_other_body() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    let first = frontend.ask("key", &loan.request()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:#?}");

    let refused = frontend.ask("key", &with(&loan.request(), "provider", "P-2")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.text("code"), "idempotency_key_reused");
    let again = frontend.ask("key", &with(&loan.request(), "otp", WRONG)).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));

    let other = frontend.ask("another key", &loan.request()).await;
    assert_eq!((other.status, other.text("code")), (StatusCode::CONFLICT, "purchase_active"));
    assert_disbursed_once(&app, &loan, "one key").await;
}

#[tokio::test]
async fn a_refusal_is_repeated_and_the_next_key_begins_anew() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    let wrong = with(&loan.request(), "otp", WRONG);
    let first = frontend.ask("key", &wrong).await;
    for _ in 0..2 {
        let again = frontend.ask("key", &loan.request()).await;
        assert_eq!((again.status, again.text("code")), (first.status, "otp_refused"), "the right one comes too late");
    }
    frontend.issue(&loan).await;
    assert_disbursed_once(&app, &loan, "the next key").await;
}

#[tokio::test]
async fn the_first_payment_is_on_mambus_day_whatever_the_products_rule() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    for schedule in [
        json!({ "unit": "DAYS", "count": 10 }),
        json!({ "unit": "WEEKS", "count": 2 }),
        json!({ "unit": "MONTHS", "count": 1, "first_offset_days": 5 }),
        json!({ "unit": "YEARS", "count": 1 }),
        json!({ "method": "FIXED_DAYS_OF_MONTH", "fixed_days": [1, 16] }),
        json!({ "method": "FIXED_DAYS_OF_MONTH", "fixed_days": [31], "short_month": "FIRST_DAY_OF_NEXT_MONTH" }),
    ] {
        let loan = Loan::of_new_client();
        app.add_loan(&loan, json!({ "schedule": schedule })).await;
        app.hand_out(&loan.client_id, json!({})).await;
        let before = app.loan_at_mambu(&loan).await["first_due_date"].take();
        let purchase = frontend.issue(&loan).await;
        assert_eq!(purchase.details["first_payment_date"], before, "{schedule}");
    }
}

#[tokio::test]
async fn where_mambu_decides_another_day_that_one_is_shown_and_operators_are_told() {
    let app = TestApp::shared();
    let frontend = app.frontend();
    let loan = app.open_loan().await;
    app.control(&format!("/mambu/loans/{}/schedule", loan.id), json!({ "first_due_date": "2031-03-07" })).await;
    let purchase = frontend.issue(&loan).await;
    assert_eq!(purchase.details["first_payment_date"], "2031-03-07");
    assert_eq!(app.aws().purchase(purchase.id).await["firstPaymentDate"], "2031-03-07");
    app.until_runs(&runs_of(&loan, "NeedsAttention = true"), 1).await;
}
