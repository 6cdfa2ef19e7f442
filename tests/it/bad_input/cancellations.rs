//! `POST /invoices/{id}/cancel`, field by field. In the end the invoice is as it was, and the key is still free.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Merchant, TestApp};
use uuid::Uuid;

use super::{NOT_FOUND, Refusal, assert_refused, misshapen, no_texts, unacceptable, with, without};

const KEY: &str = "cancel";

fn good() -> Value {
    json!({ "reason": "requested_by_merchant", "note": "" })
}

fn cancel(merchant: &Merchant, invoice_id: impl std::fmt::Display, body: &Value) -> RequestBuilder {
    let path = format!("/invoices/{invoice_id}/cancel");
    merchant.request(Method::POST, &path).header("Idempotency-Key", KEY).json(body)
}

/// Every bad body, and how it is refused.
fn bad_bodies() -> Vec<(Value, Refusal)> {
    let words = ["", "bored", "Other", "other ", "OTHER", "requested_by_merchant\u{0}"].map(|word| json!(word));
    let other_shapes = [json!({ "other": null }), json!(["other"]), json!(0)];
    let reasons = words.into_iter().chain(other_shapes).chain(no_texts());
    let mut bodies: Vec<_> = reasons.map(|reason| (with(&good(), "reason", reason), misshapen("reason"))).collect();
    bodies.push((without(&good(), "reason"), misshapen("reason")));
    bodies.push((with(&good(), "status", json!("cancelled")), misshapen("status")));
    bodies.extend(no_texts().into_iter().map(|note| (with(&good(), "note", note), misshapen("note"))));
    for note in ["a\u{0}", "\u{1b}[2J", &"n".repeat(501)] {
        bodies.push((with(&good(), "note", json!(note)), unacceptable("note")));
    }
    let of_operators = Refusal { status: 403, code: "principal_not_allowed", field: Some("reason") };
    bodies.push((with(&good(), "reason", json!("kyc")), of_operators));
    bodies
}

#[tokio::test]
async fn bad_cancellations_change_nothing() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    for (body, refusal) in bad_bodies() {
        assert_refused(&body.to_string(), cancel(&merchant, created.invoice_id(), &body), refusal).await;
    }
    assert_eq!(merchant.read(created.invoice_id()).await.body, created.body);
    let cancelled = Answer::patiently(|| cancel(&merchant, created.invoice_id(), &good())).await;
    assert_eq!(cancelled.status, StatusCode::OK, "the key is free: {cancelled:#?}");
}

#[tokio::test]
async fn what_names_no_invoice_is_not_found() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let id = merchant.create(&Merchant::invoice()).await.invoice_id();
    let simple = id.simple().to_string();
    let other_spellings = [id.to_string().to_uppercase(), simple, format!("{{{id}}}"), format!("urn:uuid:{id}")];
    let nonsense = ["x", "0", "-1", "%00", "%FF", "%2e%2e", "..%2f..%2fetc", "null", "'--", "%F0%9F%91%8B"];
    let nobody = [Uuid::nil().to_string(), Uuid::max().to_string(), Uuid::now_v7().to_string(), "a".repeat(4000)];
    let ids = other_spellings.into_iter().chain(nonsense.map(str::to_owned)).chain(nobody);
    for id in ids {
        let read = merchant.request(Method::GET, &format!("/invoices/{id}"));
        assert_refused(&id, read, NOT_FOUND).await;
        assert_refused(&id, cancel(&merchant, &id, &good()), NOT_FOUND).await;
    }
}
