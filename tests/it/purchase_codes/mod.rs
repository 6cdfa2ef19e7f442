//! Purchase codes: from the one-time password to the scan, or to the reversal of what was disbursed.

mod budget;
mod clocks;
mod crashes;
mod expiry;
mod faults;
mod image;
mod issue;
mod lost_update;
mod scan;
mod secrets;
mod throttled;

use serde_json::{Value, json};
use stack::{Part, Settings};
use system_tests::{Aws, Loan, Purchase, SharedStack, TestApp, eventually};
use uuid::Uuid;

/// Nobody waits long for anybody, and what is over is soon over for good. Codes last for days.
static HASTY: SharedStack = SharedStack::new(hasty);
/// The same with codes that last for seconds.
static BRIEF: SharedStack = SharedStack::new(brief);

fn hasty() -> Settings {
    [
        (Part::Worker, "PERDURA_MAMBU_TIMEOUT", "1s"),
        (Part::Worker, "PERDURA_CIAM_TIMEOUT", "1s"),
        (Part::Api, "PERDURA_PURCHASE_FIRST_UPDATE", "5s"),
        (Part::Api, "PERDURA_PURCHASE_PATIENCE", "20s"),
        (Part::Api, "PERDURA_PURCHASE_ATTENTION", "1s"),
        (Part::Api, "PERDURA_PURCHASE_RETRY_AT_MOST", "1s"),
        (Part::Api, "PERDURA_PURCHASE_BLOCKED_RETRY", "1s"),
        (Part::Api, "PERDURA_PURCHASE_IMAGE_GRACE", "1s"),
    ]
    .into_iter()
    .fold(Settings::isolated(), |settings, (part, name, value)| settings.env(part, name, value))
}

fn brief() -> Settings {
    hasty().env(Part::Api, "PERDURA_PURCHASE_EXPIRES_IN", "3s")
}

/// The loan is disbursed, once, for one one-time password; and whatever was asked of Mambu was the same to the byte.
async fn assert_disbursed_once(app: &TestApp, loan: &Loan, what: &str) {
    let disbursed = app.disbursements(loan).await;
    assert_eq!(disbursed.len(), 1, "{what}: {disbursed:#?}");
    let spent = app.outside_effects("otp_spent", &loan.client_id).await;
    assert_eq!(spent.len(), 1, "{what}: {spent:#?}");
    let calls = app.mambu_calls("disburse", &loan.id).await;
    assert!(!calls.is_empty(), "{what}");
    for call in &calls {
        for part in ["idempotency_key", "body_sha256"] {
            assert_eq!(call[part], calls[0][part], "{what}: {calls:#?}");
        }
    }
}

/// Nothing moved, and the loan is as it was.
async fn assert_untouched(app: &TestApp, loan: &Loan, what: &str) {
    assert_eq!(app.disbursements(loan).await, Vec::<Value>::new(), "{what}");
    assert_eq!(app.mambu_calls("disburse", &loan.id).await, Vec::<Value>::new(), "{what}");
    assert_eq!(app.loan_at_mambu(loan).await["state"], "APPROVED", "{what}");
}

/// The code is over, its disbursement is reversed, once, and the loan is free again.
async fn assert_reversed_once(app: &TestApp, aws: &Aws, purchase: &Purchase, what: &str) {
    let kept = || aws.disbursement(purchase.id);
    eventually(&format!("{what}: the reversal"), kept, |kept| kept["reversedAt"].is_string()).await;
    let adjusted = app.adjustments(&purchase.loan).await;
    assert_eq!(adjusted.len(), 1, "{what}: {adjusted:#?}");
    assert_eq!(app.disbursements(&purchase.loan).await.len(), 1, "{what}");
    assert_eq!(app.loan_at_mambu(&purchase.loan).await["state"], "APPROVED", "{what}");
    let record = aws.purchase(purchase.id).await;
    assert_eq!((&record["status"], &record["image_url"]), (&json!("VENCIDO"), &Value::Null), "{what}");
    let credit = aws.credit(&purchase.loan.id).await;
    assert_eq!((&credit["state"], &credit["claimed"]), (&json!("ACTIVO"), &json!(false)), "{what}: {credit:#}");
    assert_eq!(credit["substate"], "DISPOSICION_REVERTIDA", "{what}");
}

/// Where operators find the runs of a loan.
fn runs_of(loan: &Loan, more: &str) -> String {
    format!("LoanAccountId = '{}' AND {more}", loan.id)
}

/// Waits until the run of a purchase has closed.
async fn until_closed(app: &TestApp, purchase_id: Uuid) {
    app.until_runs(&format!("BusinessKey = '{purchase_id}' AND ExecutionStatus = 'Completed'"), 1).await;
}
