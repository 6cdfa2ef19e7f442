//! Where one-time passwords and purchase codes must not be: in what Temporal keeps, in logs, in tables, in metrics.

use std::{
    fs,
    path::{Path, PathBuf},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, query_scalar};
use stack::Part;
use system_tests::{Loan, PROVIDER, TABLES, TestApp};

/// Passwords that are nowhere by chance: one that is right, one that is wrong, and two that are none at all.
const RIGHT: &str = "908172635441";
const WRONG: &str = "908172635442";
const NUMBER: u64 = 908_172_635_443;
const MISSHAPEN: &str = "908172635444x";

/// Something that is kept, by its name and as text.
struct Kept {
    name: String,
    text: String,
}

impl Kept {
    fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// A file, whatever it holds: what is text in it stays text.
    fn file(path: &Path) -> Self {
        Self::new(path.display().to_string(), String::from_utf8_lossy(&fs::read(path).unwrap()))
    }
}

fn with(loan: &Loan, otp: Value) -> Value {
    let mut body = loan.request();
    body["otp"] = otp;
    body
}

/// The files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.into_iter().flat_map(below).collect()
}

/// Temporal's own database, with what was written and not moved there yet.
fn histories(app: &TestApp) -> Vec<Kept> {
    let files = fs::read_dir(app.stack().state_dir()).unwrap().map(|entry| entry.unwrap().path());
    let is_temporals = |path: &PathBuf| path.to_string_lossy().contains("/temporal.db");
    files.filter(is_temporals).map(|path| Kept::file(&path)).collect()
}

fn logs(app: &TestApp) -> Vec<Kept> {
    files(&app.stack().state_dir().join("logs")).iter().map(|path| Kept::file(path)).collect()
}

/// Every row of every table in Postgres, as Postgres writes it.
async fn rows(app: &TestApp) -> Vec<Kept> {
    let database = app.database().await;
    let tables: Vec<String> = query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&database)
    .await
    .unwrap();
    let mut kept = Vec::new();
    for table in tables {
        let rows = query_scalar(AssertSqlSafe(format!("select kept::text from {table} kept")));
        let rows: Vec<String> = rows.fetch_all(&database).await.unwrap();
        kept.push(Kept::new(table, rows.join("\n")));
    }
    kept
}

async fn items(app: &TestApp) -> Vec<Kept> {
    let aws = app.aws();
    let mut kept = vec![Kept::new("vouchers", aws.vouchers().await.join("\n"))];
    for table in TABLES {
        kept.push(Kept::new(table, json!(aws.items(table).await).to_string()));
    }
    kept
}

async fn metrics(app: &TestApp) -> Kept {
    let answer = app.http().get(app.stack().temporal_metrics_url()).send().await.unwrap();
    Kept::new("metrics of Temporal", answer.text().await.unwrap())
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

    let (histories, logs, rows, items) = (histories(&app), logs(&app), rows(&app).await, items(&app).await);
    // What is searched is what was kept: these are there.
    let holds = |kept: &[Kept], text: &str| kept.iter().any(|kept| kept.text.contains(text));
    assert!(holds(&histories, &format!("purchase-code/{}", purchase.id)));
    assert!(holds(&rows, "frontend:") && holds(&items, &loan.id));
    assert!(holds(&logs, "api.listening") && app.stack().log(Part::Api).contains("api.listening"));

    let grouped = purchase.code().as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-");
    let number = NUMBER.to_string();
    let secrets = [RIGHT, WRONG, number.as_str(), &MISSHAPEN[..12], purchase.code(), grouped.as_str()];
    let secrets: Vec<_> = secrets.into_iter().flat_map(spellings).collect();
    for kept in [histories, logs, rows, items, vec![metrics(&app).await]].into_iter().flatten() {
        let shown = secrets.iter().find(|secret| kept.text.contains(secret.as_str()));
        assert_eq!(shown, None, "in {}", kept.name);
    }
}
