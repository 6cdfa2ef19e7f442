//! Pages of other origins, in which forms are embedded.

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::json;
use system_tests::{Answer, Buyer, TestApp};
use uuid::Uuid;

use super::fixed;

const PAGE: &str = "https://shop.example";

/// What a browser asks before it sends such a request for a page.
fn preflight(buyer: &Buyer, method: &str, path: &str, headers: &str) -> RequestBuilder {
    let request = buyer.request(Method::OPTIONS, path).header("Origin", PAGE);
    request.header("Access-Control-Request-Method", method).header("Access-Control-Request-Headers", headers)
}

/// A header in small letters, or nothing.
fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_lowercase()).unwrap_or_default()
}

#[tokio::test]
async fn a_page_of_any_origin_may_open_send_and_follow_a_form() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let buyer = Buyer::at(&app, &merchant.form(&fixed()).await);
    let bought = buyer.buy(&json!({})).await;
    let checkout = format!("/checkout/{}", bought.invoice_id());
    for (method, path, sends) in [
        ("GET", buyer.form_path(), vec![]),
        ("POST", buyer.submit_path(), vec!["content-type", "idempotency-key"]),
        ("GET", checkout.clone(), vec!["if-none-match"]),
    ] {
        let allowed = Answer::to(preflight(&buyer, method, &path, &sends.join(","))).await;
        assert!(allowed.status.is_success(), "{path}: {allowed:#?}");
        assert_eq!(header(&allowed.headers, "access-control-allow-origin"), "*", "{path}");
        assert!(header(&allowed.headers, "access-control-allow-methods").contains(&method.to_lowercase()), "{path}");
        let headers = header(&allowed.headers, "access-control-allow-headers");
        assert!(sends.iter().all(|sent| headers.contains(sent)), "{path}: {headers}");
        assert_eq!(header(&allowed.headers, "access-control-allow-credentials"), "", "{path}");
    }
    let token = bought.text("token");
    for request in [
        buyer.request(Method::GET, &buyer.form_path()),
        buyer.submitting(Uuid::new_v4(), &json!({})),
        buyer.request(Method::GET, &checkout).query(&[("token", token)]),
    ] {
        let request = request.header("Origin", PAGE);
        let answer = Answer::patiently(|| request.try_clone().unwrap()).await;
        assert!(answer.status.is_success(), "{answer:#?}");
        assert_eq!(header(&answer.headers, "access-control-allow-origin"), "*", "{answer:#?}");
    }
}

#[tokio::test]
async fn a_refusal_can_be_read_by_the_page_too() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let buyer = Buyer::at(&app, &merchant.form(&json!({})).await);
    let refused = Answer::to(buyer.submitting(Uuid::new_v4(), &json!({})).header("Origin", PAGE)).await;
    assert_eq!((refused.status.as_u16(), refused.text("code")), (422, "unacceptable"), "{refused:#?}");
    assert_eq!(header(&refused.headers, "access-control-allow-origin"), "*", "{refused:#?}");
}

#[tokio::test]
async fn no_page_may_act_for_a_merchant() {
    let app = TestApp::shared();
    let buyer = Buyer::at(&app, &app.merchant().form(&fixed()).await);
    for (method, path) in [("POST", "/invoice-forms"), ("GET", "/invoices"), ("POST", "/invoices")] {
        let refused = Answer::to(preflight(&buyer, method, path, "authorization,content-type")).await;
        assert_eq!(header(&refused.headers, "access-control-allow-origin"), "", "{method} {path}: {refused:#?}");
    }
}
