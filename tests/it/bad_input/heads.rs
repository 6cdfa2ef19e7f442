//! Headers, methods and queries.

use reqwest::{Method, RequestBuilder, header::HeaderValue};
use system_tests::{Answer, Merchant, TestApp};
use uuid::Uuid;

use super::{Refusal, assert_refused};

const UNKNOWN_CALLER: Refusal = Refusal { status: 401, code: "unauthenticated", field: None };

const fn bad_key(code: &'static str) -> Refusal {
    Refusal { status: 400, code, field: None }
}

/// Both routes that need a key, with a good body.
fn keyed(merchant: &Merchant) -> [RequestBuilder; 2] {
    let create = merchant.request(Method::POST, "/invoices").json(&Merchant::invoice());
    let cancel = merchant.request(Method::POST, &format!("/invoices/{}/cancel", Uuid::now_v7()));
    [create, cancel.json(&serde_json::json!({ "reason": "other" }))]
}

#[tokio::test]
async fn idempotency_keys_that_cannot_be_used() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for request in keyed(&merchant) {
        assert_refused("no key", request, bad_key("idempotency_key_missing")).await;
    }
    for request in keyed(&merchant) {
        let twice = request.header("Idempotency-Key", "one").header("Idempotency-Key", "one");
        assert_refused("two keys", twice, bad_key("idempotency_key_invalid")).await;
    }
    let long = "k".repeat(256);
    let bad: [&[u8]; 10] = [
        b"",
        b"\"\"",
        b"\"",
        b"\"open",
        b"\"a\"b\"",
        b"a\tb",
        b"\xe9",
        "schl\u{fc}ssel".as_bytes(),
        b"a\x80",
        long.as_bytes(),
    ];
    for key in bad {
        let value = HeaderValue::from_bytes(key).unwrap();
        for request in keyed(&merchant) {
            let refused = request.header("Idempotency-Key", &value);
            assert_refused(&format!("{value:?}"), refused, bad_key("idempotency_key_invalid")).await;
        }
    }
    assert_eq!(merchant.get("/invoices").await.body["items"], serde_json::json!([]));
    let longest = merchant.post("/invoices", &"k".repeat(255), &Merchant::invoice()).await;
    assert_eq!(longest.status, 201, "255 characters are a key");
}

#[tokio::test]
async fn api_keys_that_are_none() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let unknown = format!("Bearer pk_{}", "A".repeat(43));
    let (basic, long) = (format!("Basic {}", merchant.key()), format!("Bearer {}", "x".repeat(8000)));
    let spaced = format!("Bearer  {}", merchant.key());
    let lower = format!("Bearer {}", merchant.key().to_lowercase());
    for value in ["", "Bearer", "Bearer ", "Bearer x", "x", merchant.key(), &unknown, &basic, &long, &spaced, &lower] {
        let request = app.http().get(app.api("/invoices")).header("Authorization", value);
        assert_refused(value, request, UNKNOWN_CALLER).await;
    }
    let twice = merchant.request(Method::GET, "/invoices").bearer_auth(merchant.key());
    assert_refused("two keys", twice, UNKNOWN_CALLER).await;
}

#[tokio::test]
async fn queries_that_cannot_be_answered() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let refusal = |field| Refusal { status: 400, code: "invalid_query", field: Some(field) };
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=ten", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=", "status"),
        ("status=Expired", "status"),
        ("status=expired%00", "status"),
        ("exception=x", "exception"),
        ("created_from=2026-01-31", "created_from"),
        ("created_to=tomorrow", "created_to"),
        ("created_to=2026-01-31T12:00:00", "created_to"),
        ("created_from=%2B10000-01-01T00:00:00Z", "created_from"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("external_id=a%0Ab", "external_id"),
        ("coin_id=%00", "coin_id"),
        ("merchant_id=x", "merchant_id"),
        ("Limit=5", "Limit"),
    ] {
        assert_refused(query, merchant.request(Method::GET, &format!("/invoices?{query}")), refusal(field)).await;
    }
}

#[tokio::test]
async fn odd_queries_that_can_be_answered() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for query in [
        "",
        "&&",
        "coin_id=",
        "coin_id=doge",
        "external_id=%F0%9F%91%8B",
        "external_id=%FF",
        "external_id='--",
        "created_from=0000-01-01T00:00:00Z",
        "created_to=9999-12-31T23:59:59.999999999-23:59",
        "created_from=2016-12-31T23:59:60Z",
    ] {
        let answer = merchant.get(&format!("/invoices?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:#?}");
        assert_eq!(answer.body["items"], serde_json::json!([]), "{query}");
    }
}

#[tokio::test]
async fn other_methods_are_not_taken() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for (method, path, allowed) in [
        (Method::PUT, "/invoices", "GET,HEAD,POST"),
        (Method::DELETE, "/invoices/x", "GET,HEAD"),
        (Method::PATCH, "/invoices/x/cancel", "POST"),
        (Method::PUT, "/deposits", "GET,HEAD,POST"),
        (Method::GET, "/invoices/x/accept-late", "POST"),
        (Method::PUT, "/invoice-forms/x", "DELETE,GET,HEAD,PATCH"),
        (Method::POST, "/payment-options", "GET,HEAD"),
        (Method::TRACE, "/livez", "GET,HEAD"),
        (Method::GET, "/codec/decode", "POST"),
    ] {
        let answer = Answer::to(merchant.request(method.clone(), path)).await;
        assert_eq!(answer.status, 405, "{method} {path}: {answer:#?}");
        assert_eq!(answer.body["code"], "method_not_allowed", "{method} {path}");
        let mut named: Vec<_> = answer.headers["allow"].to_str().unwrap().split(',').collect();
        named.sort_unstable();
        assert_eq!(named.join(","), allowed, "{method} {path}");
    }
}
