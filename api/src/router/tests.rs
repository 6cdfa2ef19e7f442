use std::collections::BTreeSet;

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, header},
    routing::get,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::state::Services;

/// Requests after which somebody must have been refused, also on a machine so slow that accounts fill up meanwhile.
const TOO_MANY: usize = 5000;
const KEY: &str = "Bearer pk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Sends a request to an API whose database and Temporal are away.
async fn send(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (Response<Body>, Value) {
    let routes =
        router(Arc::new(Services::without_servers()), &["http://ui", "http://ui.test"].map(HeaderValue::from_static));
    answer(routes, request(method, path, headers, body)).await
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn answer(routes: Router, request: Request<Body>) -> (Response<Body>, Value) {
    let (parts, body) = routes.oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    (Response::from_parts(parts, Body::empty()), serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Sends the same until that is too much.
async fn until_limited(routes: &Router, request: impl Fn() -> Request<Body>) -> (Response<Body>, Value) {
    for _ in 0..TOO_MANY {
        let answered = answer(routes.clone(), request()).await;
        if answered.0.status() == 429 {
            return answered;
        }
    }
    panic!("none of {TOO_MANY} requests was refused");
}

fn assert_problem((response, body): &(Response<Body>, Value), status: u16, code: &str) {
    assert_eq!(response.status(), status, "{body}");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!((&body["code"], &body["status"]), (&json!(code), &json!(status)));
    assert_eq!(body["type"], format!("urn:perdura:problem:{code}"));
    let id = response.headers()["x-request-id"].to_str().unwrap();
    assert_eq!(body["instance"], format!("urn:perdura:request:{id}"));
    assert!(body["title"].is_string() && body["detail"].is_string() && body["errors"].is_array(), "{body}");
}

#[tokio::test]
async fn the_errors_of_the_framework_are_problems() {
    assert_problem(&send("GET", "/nothing", &[], "").await, 404, "not_found");
    let refused = send("DELETE", "/otp/validate", &[], "").await;
    assert_problem(&refused, 405, "method_not_allowed");
    assert_eq!(refused.0.headers()[header::ALLOW], "POST");
    let large = [("content-length", "65537"), ("content-type", "application/json")];
    assert_problem(&send("POST", "/deposits", &large, "").await, 413, "body_too_large");
}

#[tokio::test]
async fn a_panic_is_an_opaque_problem() {
    let routes = Router::new().route("/panic", get(async || -> &'static str { panic!("secret") }));
    let failed = answer(with_shared_layers(routes, None), request("GET", "/panic", &[], "")).await;
    assert_problem(&failed, 500, "internal");
    assert!(!failed.1.to_string().contains("secret"));
}

async fn assert_needs_a_key(method: &str, path: &str) {
    for headers in [&[][..], &[("authorization", "Basic eA==")], &[("authorization", "Bearer pk_short")]] {
        let refused = send(method, path, headers, "").await;
        assert_problem(&refused, 401, "unauthenticated");
        assert_eq!(refused.0.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"perdura\"");
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_told() {
    for (method, path) in [
        ("POST", "/invoices"),
        ("GET", "/invoices"),
        ("GET", "/invoices/export"),
        ("GET", "/invoices/0190a0b0-0000-7000-8000-00000000000a"),
        ("GET", "/invoices/0190a0b0-0000-7000-8000-00000000000a/events"),
        ("GET", "/invoices/0190a0b0-0000-7000-8000-00000000000a/timeline"),
        ("GET", "/invoices/0190a0b0-0000-7000-8000-00000000000a/qr.svg"),
        ("GET", "/invoices/0190a0b0-0000-7000-8000-00000000000a/qr.png"),
        ("POST", "/invoices/0190a0b0-0000-7000-8000-00000000000a/cancel"),
        ("POST", "/invoices/0190a0b0-0000-7000-8000-00000000000a/accept-late"),
        ("POST", "/invoice-forms"),
        ("GET", "/invoice-forms"),
        ("GET", "/invoice-forms/0190a0b0-0000-5000-8000-00000000000f"),
        ("PATCH", "/invoice-forms/0190a0b0-0000-5000-8000-00000000000f"),
        ("DELETE", "/invoice-forms/0190a0b0-0000-5000-8000-00000000000f"),
        ("POST", "/otp/validate"),
        ("POST", "/loans/LN-1/use"),
        ("GET", "/credit-lines/CL-1/purchases/7K3M"),
        ("GET", "/credit-lines/CL-1/purchases/7K3M/valid"),
        ("GET", "/credit-lines/CL-1/purchases/7K3M/download"),
        ("GET", "/credit-line/CL-1/purchase/7K3M"),
        ("GET", "/credit-line/CL-1/purchase/7K3M/valid"),
        ("GET", "/credit-line/CL-1/purchase/7K3M/download"),
        ("GET", "/machines/FRIDGE-1/status"),
        ("POST", "/machines/FRIDGE-1/open"),
        ("GET", "/transactions/0190a0b0-0000-7000-8000-00000000000a"),
        ("GET", "/transactions/search"),
        ("GET", "/machine/FRIDGE-1/status"),
        ("POST", "/machine/FRIDGE-1/open"),
        ("GET", "/transaction/0190a0b0-0000-7000-8000-00000000000a"),
        ("GET", "/transaction/search"),
        ("POST", "/api/gifts/use"),
        ("POST", "/api/gifts/GIFT-1/void"),
        ("POST", "/deposits"),
        ("GET", "/deposits?result=unmatched"),
        ("POST", "/deposits/0190a0b0-0000-7000-8000-00000000000a/attach"),
        ("POST", "/codec/decode"),
        ("POST", "/codec/encode"),
    ] {
        assert_needs_a_key(method, path).await;
    }
}

/// A router lists its paths nowhere but in its debug output, and its methods to whoever tries another one.
async fn served() -> BTreeSet<(String, String)> {
    let shown = format!("{:?}", router(Arc::new(Services::without_servers()), &[]));
    let paths = shown.split("RouteId(").filter_map(|entry| entry.split_once("): \"")?.1.split('"').next());
    let mut served = BTreeSet::new();
    for path in paths {
        let (refused, _) = send("PROBE", &path.replace(['{', '}'], ""), &[], "").await;
        // The fallback is shown as a path as well, and allows nothing.
        let allowed = refused.headers().get(header::ALLOW).map_or("", |allowed| allowed.to_str().unwrap());
        let methods = allowed.split(',').filter(|method| !["", "HEAD"].contains(method));
        served.extend(methods.map(|method| (path.to_owned(), method.to_owned())));
    }
    served
}

#[tokio::test]
async fn every_route_is_in_the_document() {
    let document = openapi::document().unwrap();
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| (path.clone(), method.to_uppercase()))
    });
    let described: BTreeSet<_> = described.collect();
    assert_eq!(served().await, described);
}

#[test]
fn an_operation_has_one_name_and_the_paths_of_the_sources_are_deprecated() {
    let document = openapi::document().unwrap();
    let items = document["paths"].as_object().unwrap().iter();
    let operations = items.flat_map(|(path, item)| item.as_object().unwrap().values().map(move |it| (path, it)));
    let mut names = BTreeSet::new();
    for (path, operation) in operations {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{path}");
        let deprecated =
            ["/credit-line/", "/c/", "/machine/", "/transaction/"].iter().any(|other| path.starts_with(other));
        assert_eq!(operation["deprecated"] == true, deprecated, "{path}");
    }
}

#[tokio::test]
async fn where_purchase_codes_do_not_run_their_routes_say_so() {
    for path in ["/C/7K3M", "/c/7K3M"] {
        let away = send("GET", path, &[], "").await;
        assert_problem(&away, 404, "not_found");
        assert_eq!(away.1["detail"], "purchase codes are not served here");
        assert_eq!(away.0.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(away.0.headers()[header::REFERRER_POLICY], "no-referrer");
    }
}

#[tokio::test]
async fn without_a_database_callers_hear_when_to_come_back() {
    let away = send("GET", "/invoices", &[("authorization", KEY)], "").await;
    assert_problem(&away, 503, "temporarily_unavailable");
    assert!(away.0.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(away.0.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn who_sends_too_much_hears_when_to_come_back() {
    let routes = router(Arc::new(Services::without_servers()), &[]);
    let refused = until_limited(&routes, || request("GET", "/docs", &[], "")).await;
    assert_problem(&refused, 429, "rate_limited");
    assert_eq!(refused.0.headers()[header::RETRY_AFTER], "1");
    let (alive, _) = answer(routes, request("GET", "/livez", &[], "")).await;
    assert_eq!(alive.status(), 200, "health is not limited");
}

#[tokio::test]
async fn health_tells_what_is_away() {
    let (alive, _) = send("GET", "/livez", &[("x-request-id", "mine")], "").await;
    assert_eq!((alive.status().as_u16(), &alive.headers()["x-request-id"]), (200, &HeaderValue::from_static("mine")));
    let (unready, body) = send("GET", "/readyz", &[], "").await;
    assert_eq!(unready.status(), 503);
    assert_eq!(body["dependencies"], json!({"database": "unreachable", "temporal": "unreachable"}));
}

const FORM: &str = "/processing/0190a0b0-0000-5000-8000-00000000000f";

#[tokio::test]
async fn a_page_of_any_origin_may_show_a_form_and_submit_it() {
    let submit = format!("{FORM}/submit");
    let checkout = "/checkout/0190a0b0-0000-7000-8000-00000000000a";
    for (method, path, sends) in [
        ("GET", FORM, "if-none-match"),
        ("POST", submit.as_str(), "content-type,idempotency-key"),
        ("GET", checkout, "if-none-match"),
    ] {
        let preflight = [("origin", "https://shop.example"), ("access-control-request-method", method)];
        let (allowed, _) = send("OPTIONS", path, &preflight, "").await;
        let headers = allowed.headers();
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], method, "{path}");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], sends, "{path}");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "{path}");
    }
    let (refused, _) = send("POST", &submit, &[("origin", "https://shop.example")], "").await;
    assert_eq!(refused.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "errors can be read as well");
}

/// With no token nobody asks the database.
const CHECKOUT: &str = "/checkout/0190a0b0-0000-7000-8000-00000000000a";

#[tokio::test]
async fn a_page_of_any_origin_can_read_why_it_is_refused() {
    let routes = router(Arc::new(Services::without_servers()), &[]);
    let origin = ("origin", "https://shop.example");
    let refused = until_limited(&routes, || request("GET", CHECKOUT, &[origin], "")).await;
    assert_problem(&refused, 429, "rate_limited");
    let headers = refused.0.headers();
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], "etag,retry-after");
    assert!(headers.contains_key(header::RETRY_AFTER));

    let large = [origin, ("content-length", "65537"), ("content-type", "application/json")];
    let refused = send("POST", &format!("{FORM}/submit"), &large, "").await;
    assert_problem(&refused, 413, "body_too_large");
    assert_eq!(refused.0.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
}

#[tokio::test]
async fn asking_whether_a_page_may_call_is_not_limited() {
    let routes = router(Arc::new(Services::without_servers()), &[]);
    let preflight = [("origin", "https://shop.example"), ("access-control-request-method", "GET")];
    for _ in 0..200 {
        let (allowed, _) = answer(routes.clone(), request("OPTIONS", CHECKOUT, &preflight, "")).await;
        assert_eq!(allowed.status(), 200);
    }
}

#[tokio::test]
async fn a_form_is_submitted_under_a_random_uuid_and_not_too_often() {
    let routes = router(Arc::new(Services::without_servers()), &[]);
    let path = format!("{FORM}/submit");
    let submit = async |headers: &[(&str, &str)], body: &str| {
        answer(routes.clone(), request("POST", &path, headers, body)).await
    };
    let json = ("content-type", "application/json");
    assert_problem(&submit(&[json], "{}").await, 400, "idempotency_key_missing");
    assert_problem(&submit(&[json, ("idempotency-key", "order-1")], "{}").await, 400, "idempotency_key_invalid");
    let key = ("idempotency-key", "5f0c9a4e-7d1b-4c2a-9e3f-2b6a8d0c1e47");
    assert_problem(&submit(&[json, key], "[]").await, 400, "invalid_body");
    assert_problem(&submit(&[json, key], r#"{"x":1e999}"#).await, 400, "invalid_json");
    until_limited(&routes, || request("POST", &path, &[json], "{}")).await;
    let refused = submit(&[json, key], "{}").await;
    assert_problem(&refused, 429, "rate_limited");
    assert!(refused.0.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(refused.0.headers()[header::ACCESS_CONTROL_EXPOSE_HEADERS], "retry-after");
}

#[tokio::test]
async fn a_wrong_token_shows_nothing() {
    let invoice_id = "0190a0b0-0000-7000-8000-00000000000a";
    let token = Services::without_servers().view_key.token(invoice_id.parse().unwrap());
    let show = async |query: String| send("GET", &format!("/checkout/{invoice_id}{query}"), &[], "").await;
    for query in [String::new(), "?token=".to_owned(), format!("?token={}", &token[1..])] {
        assert_problem(&show(query).await, 404, "not_found");
    }
    let asked = show(format!("?token={token}")).await;
    assert_problem(&asked, 503, "temporarily_unavailable");
    assert_eq!(asked.0.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(asked.0.headers()[header::REFERRER_POLICY], "no-referrer");
    assert_problem(&show(format!("?token={token}&wait=1h")).await, 400, "invalid_query");
}

#[tokio::test]
async fn only_the_ui_may_call_the_codec_from_a_page() {
    for origin in ["http://ui", "http://ui.test"] {
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        let (allowed, _) = send("OPTIONS", "/codec/decode?preserveStorageRefs=true", &preflight, "").await;
        let headers = allowed.headers();
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], "authorization,content-type,x-namespace");
    }
    let preflight = [("origin", "http://other"), ("access-control-request-method", "POST")];
    let (refused, _) = send("OPTIONS", "/codec/decode", &preflight, "").await;
    assert!(!refused.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn the_open_codec_opens_what_it_sealed() {
    let codec = Services::without_servers().codec;
    let clear = json!({"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "ImhpIg=="}]});
    let json = [("content-type", "application/json")];
    let sealed = request("POST", "/encode", &json, &clear.to_string());
    let (_, sealed) = answer(open_codec(codec.clone(), &[]), sealed).await;
    assert!(sealed["payloads"][0]["data"].is_string() && sealed != clear);
    let opened = request("POST", "/decode?preserveStorageRefs=true", &json, &sealed.to_string());
    assert_eq!(answer(open_codec(codec, &[]), opened).await.1, clear);
}
