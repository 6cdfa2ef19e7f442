//! Forms: what a merchant fixed stays fixed, a buyer fills the blanks, and sees the one invoice that comes of it.

mod browsers;
mod edits;
mod limits;
mod merchants;
mod repeats;
mod tampering;
mod tokens;
mod turns;

use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Answer, Merchant, TestApp};

/// Everything is fixed.
fn fixed() -> Value {
    json!({ "coin_id": "usdt", "network_id": "tron", "amount": "5" })
}

/// Where the merchant has his form.
fn path_of(form: &Answer) -> String {
    format!("/invoice-forms/{}", form.text("form_id"))
}

/// Changes a form.
async fn patch(merchant: &Merchant, form: &Answer, changes: &Value) -> Answer {
    Answer::to(merchant.request(reqwest::Method::PATCH, &path_of(form)).json(changes)).await
}

/// How many invoices a merchant has, of whatever form.
async fn invoices_of(app: &TestApp, merchant: &Merchant) -> i64 {
    let count = query_scalar("select count(*) from invoice where merchant_id = $1").bind(merchant.id());
    count.fetch_one(&app.database().await).await.unwrap()
}

/// How often a form was used, as its merchant is told.
async fn uses_of(merchant: &Merchant, form: &Answer) -> Value {
    merchant.get(&path_of(form)).await.body["uses"].take()
}
