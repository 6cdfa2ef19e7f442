//! The token of a submission: it shows one invoice, to whoever has it, and nothing of the merchant.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Buyer, TestApp};
use uuid::Uuid;

use super::fixed;

/// All that a buyer is shown.
const SHOWN: [&str; 15] = [
    "amount",
    "amounts",
    "checkout_url",
    "coin_id",
    "created_at",
    "deposit_address",
    "description",
    "exception",
    "expires_at",
    "invoice_id",
    "network_id",
    "payment_uris",
    "status",
    "title",
    "version",
];

/// The token with its letter at `place` exchanged for another one.
fn tampered(token: &str, place: usize) -> String {
    let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..place], &token[place + 1..])
}

#[tokio::test]
async fn a_token_shows_its_invoice_and_nothing_else() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let buyer = Buyer::at(&app, &merchant.form(&fixed()).await);
    let (bought, other) = (buyer.buy(&json!({})).await, buyer.buy(&json!({})).await);
    let token = bought.text("token");
    let shown = buyer.checkout(bought.invoice_id(), token).await;
    assert_eq!((shown.status, &shown.body), (StatusCode::OK, &bought.body["invoice"]));
    let mut fields: Vec<_> = shown.body.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, SHOWN);
    for private in [merchant.id().to_string(), "merchant".to_owned(), "external_id".to_owned(), "form".to_owned()] {
        assert!(!shown.body.to_string().contains(&private), "{private}: {:#}", shown.body);
    }
    for answer in [&bought, &shown] {
        assert_eq!(answer.headers["cache-control"], "no-store", "{answer:#?}");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer", "{answer:#?}");
    }

    let mut wrong = vec![other.text("token").to_owned(), String::new(), "A".to_owned(), format!("{token}A")];
    wrong.extend([0, token.len() / 2, token.len() - 2].map(|place| tampered(token, place)));
    wrong.push(token[..token.len() - 1].to_owned());
    for wrong in wrong {
        assert_is_not_there(&buyer.checkout(bought.invoice_id(), &wrong).await, &wrong);
    }
    for invoice_id in [other.invoice_id(), Uuid::now_v7()] {
        assert_is_not_there(&buyer.checkout(invoice_id, token).await, "of another invoice");
    }
}

fn assert_is_not_there(answer: &Answer, token: &str) {
    assert_eq!((answer.status, answer.text("code")), (StatusCode::NOT_FOUND, "not_found"), "{token}: {answer:#?}");
}

#[tokio::test]
async fn a_token_is_no_key() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let buyer = Buyer::at(&app, &merchant.form(&fixed()).await);
    let bought = buyer.buy(&json!({})).await;
    let (token, invoice) = (bought.text("token"), format!("/invoices/{}", bought.invoice_id()));
    let views = ["", "/timeline", "/events"].map(|view| format!("{invoice}{view}"));
    for path in views.iter().map(String::as_str).chain(["/invoices", "/invoice-forms"]) {
        for request in [
            buyer.request(Method::GET, path).query(&[("token", token)]),
            buyer.request(Method::GET, path).bearer_auth(token),
        ] {
            let refused = Answer::to(request).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}: {refused:#?}");
        }
    }
}

#[tokio::test]
async fn a_buyer_follows_his_invoice_to_its_end() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let buyer = Buyer::at(&app, &merchant.form(&fixed()).await);
    let bought = buyer.buy(&json!({})).await;
    let (invoice_id, token) = (bought.invoice_id(), bought.text("token"));
    let first = buyer.checkout(invoice_id, token).await;
    let path = format!("/checkout/{invoice_id}");
    let again = |tag: &Value| {
        let request = buyer.request(Method::GET, &path).query(&[("token", token)]);
        Answer::to(request.header("If-None-Match", tag.as_str().unwrap()))
    };
    let tag = json!(first.headers["etag"].to_str().unwrap());
    assert_eq!(again(&tag).await.status, StatusCode::NOT_MODIFIED);

    app.pay("tron", "usdt", first.text("deposit_address"), "5").await;
    app.mine("tron", 20).await;
    merchant.until(invoice_id, "finished").await;
    let last = again(&tag).await;
    assert_eq!((last.status, last.text("status")), (StatusCode::OK, "finished"), "{last:#?}");
    assert_eq!((&last.body["amounts"]["confirmed"], &last.body["payment_uris"]), (&json!("5"), &json!([])));
}
