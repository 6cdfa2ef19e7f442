//! Where one-time passwords and purchase codes must not be: in what Temporal keeps, in logs, in tables, in metrics.

use reqwest::StatusCode;
use serde_json::{Value, json};
use stack::Part;
use system_tests::{Kept, Loan, PROVIDER, TABLES, TestApp};

/// Passwords that are nowhere by chance: one that is right, one that is wrong, and two that are none at all.
const RIGHT: &str = "908172635441";
const WRONG: &str = "908172635442";
const NUMBER: u64 = 908_172_635_443;
const MISSHAPEN: &str = "908172635444x";

fn with(loan: &Loan, otp: Value) -> Value {
    let mut body = loan.request();
    body["otp"] = otp;
    body
}

async fn items(app: &TestApp) -> Vec<Kept> {
    let aws = app.aws();
    let mut kept = vec![Kept::new("vouchers", aws.vouchers().await.join("\n"))];
    for table in TABLES {
        kept.push(Kept::new(table, json!(aws.items(table).await).to_string()));
    }
    kept
}

/// Bytes are written as their hexadecimal digits in some places.
fn spellings(secret: &str) -> [String; 2] {
    [secret.to_owned(), hex::encode(secret)]
}

#[tokio::test]
async fn no_password_and_no_code_is_anywhere_in_clear() {
    let app = TestApp::shared();
    let (frontend, till) = (app.frontend(), app.till(PROVIDER));
    let loan = app.open_loan().await;
    app.hand_out(&loan.client_id, json!({ "otp": RIGHT })).await;
    assert_eq!(frontend.ask("wrong", &with(&loan, json!(WRONG))).await.status, StatusCode::FORBIDDEN);
    assert_eq!(frontend.ask("a number", &with(&loan, json!(NUMBER))).await.status, StatusCode::BAD_REQUEST);
    let misshapen = frontend.ask("misshapen", &with(&loan, json!(MISSHAPEN))).await;
    assert_eq!(misshapen.status, StatusCode::UNPROCESSABLE_ENTITY);
    // A step that is tried again, so that what is sent again is kept, too.
    app.fail(("ciam", "validate"), "error", &loan.client_id, 2).await;
    let issued = frontend.ask("right", &with(&loan, json!(RIGHT))).await;
    let purchase = frontend.issued("right", &loan, issued);
    assert_eq!(frontend.download(&purchase).await.status, StatusCode::OK);
    assert_eq!(app.till("P-2").try_to_use(&purchase).await.status, StatusCode::FORBIDDEN);
    assert_eq!(till.try_to_use(&purchase).await.status, StatusCode::OK);

    let (histories, logs) = (app.kept_histories(), app.kept_logs());
    let (rows, items) = (app.kept_rows().await, items(&app).await);
    // What is searched is what was kept: these are there.
    assert!(Kept::holds(&histories, &format!("purchase-code/{}", purchase.id)));
    assert!(Kept::holds(&rows, "frontend:") && Kept::holds(&items, &loan.id));
    assert!(Kept::holds(&logs, "api.listening") && app.stack().log(Part::Api).contains("api.listening"));

    let grouped = purchase.code().as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-");
    let number = NUMBER.to_string();
    let secrets = [RIGHT, WRONG, number.as_str(), &MISSHAPEN[..12], purchase.code(), grouped.as_str()];
    let secrets: Vec<_> = secrets.into_iter().flat_map(spellings).collect();
    for kept in [histories, logs, rows, items, vec![app.kept_metrics().await]].into_iter().flatten() {
        let shown = secrets.iter().find(|secret| kept.text.contains(secret.as_str()));
        assert_eq!(shown, None, "in {}", kept.name);
    }
}
