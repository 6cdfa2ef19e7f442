//! Bodies that are wrong before anybody looks at a field, on each route that takes one.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use system_tests::{Answer, Merchant, TestApp};
use uuid::Uuid;

use super::{NO_JSON, NO_OBJECT, NOT_OUR_TYPE, Refusal, TOO_LARGE, assert_refused, misshapen};

/// A route that takes a body, and a key that may call it.
struct Route {
    app: TestApp,
    path: String,
    key: String,
}

impl Route {
    /// `POST /deposits` is not among them: there a wrong body has to be signed.
    fn all() -> Vec<Self> {
        let app = TestApp::shared();
        let (merchant, operator) = (app.merchant().key().to_owned(), app.stack().demo().keys.operator.clone());
        let object = Uuid::now_v7();
        let (cancel, accept) = (format!("/invoices/{object}/cancel"), format!("/invoices/{object}/accept-late"));
        let attach = format!("/deposits/{object}/attach");
        [
            ("/invoices", &merchant),
            (&cancel, &merchant),
            (&accept, &merchant),
            ("/invoice-forms", &merchant),
            (&attach, &operator),
            ("/codec/encode", &operator),
            ("/codec/decode", &operator),
        ]
        .map(|(path, key)| Self { app: app.clone(), path: path.to_owned(), key: key.clone() })
        .into()
    }

    fn request(&self) -> RequestBuilder {
        let request = self.app.http().request(Method::POST, self.app.api(&self.path));
        request.bearer_auth(&self.key).header("Idempotency-Key", "key")
    }

    async fn refuses(&self, what: &str, body: impl Into<Vec<u8>>, refusal: Refusal) {
        let request = self.request().header("Content-Type", "application/json").body(body.into());
        assert_refused(&format!("{what} to {}", self.path), request, refusal).await;
    }
}

/// The body of an invoice, with something in the place of its title.
fn titled(title: &str) -> String {
    format!(r#"{{"coin_id":"usdt","network_id":"tron","amount":"12.50","title":{title}}}"#)
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    for route in Route::all() {
        for body in ["", " ", "{", "}", "{]", "{'a':1}", "// x\n{}", "\u{feff}{}", "NaN", "undefined"] {
            route.refuses(&format!("{body:?}"), body, NO_JSON).await;
        }
        route.refuses("a binary body", [0x1f, 0x8b, 0x08, 0x00], NO_JSON).await;
    }
    let (invoices, whole) = (&Route::all()[0], Merchant::invoice().to_string());
    invoices.refuses("a truncated body", &whole[..whole.len() - 1], NO_JSON).await;
    invoices.refuses("two bodies", format!("{whole}{whole}"), NO_JSON).await;
    invoices.refuses("a comma too many", whole.replace('}', ",}"), NO_JSON).await;
    invoices.refuses("a field without a value", r#"{"coin_id"}"#, NO_JSON).await;
}

#[tokio::test]
async fn what_is_no_object_is_refused() {
    for route in Route::all() {
        let arrays = [r#"["usdt","tron","12.50"]"#, r#"["other",""]"#, "[[]]", "[]", &"[".repeat(10_000)];
        for body in arrays.into_iter().chain(["null", "true", "7", "\"text\""]) {
            route.refuses(body, body, NO_OBJECT).await;
        }
    }
}

#[tokio::test]
async fn texts_that_are_no_unicode_are_refused() {
    let invoices = &Route::all()[0];
    for title in [r#""\ud800""#, r#""\udc00\ud800""#, r#""\ud83d""#, r#""\u12""#, r#""\x41""#, "\"a\nb\"", "NaN", "01"]
    {
        invoices.refuses(title, titled(title), NO_JSON).await;
    }
    for bytes in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"] {
        let body = [br#"{"coin_id":""#, bytes, br#""}"#].concat();
        invoices.refuses("invalid UTF-8", body, NO_JSON).await;
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    invoices.refuses("10,000 levels in a field", titled(&deep), misshapen("title")).await;
    let twice = titled("\"\"").replace('}', r#","title":"again"}"#);
    invoices.refuses("a field twice", twice, misshapen("title")).await;
}

#[tokio::test]
async fn other_media_types_are_refused() {
    for route in Route::all() {
        let request = route.request().body(Merchant::invoice().to_string());
        assert_refused("without a type", request, NOT_OUR_TYPE).await;
        for media_type in
            ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "json", "application/jsonp"]
        {
            let request = route.request().header("Content-Type", media_type).body(Merchant::invoice().to_string());
            assert_refused(media_type, request, NOT_OUR_TYPE).await;
        }
        for encoding in ["gzip", "br", "identity, gzip", "nonsense"] {
            let request = route.request().header("Content-Encoding", encoding).json(&Merchant::invoice());
            assert_refused(encoding, request, NOT_OUR_TYPE).await;
        }
    }
}

#[tokio::test]
async fn a_media_type_may_be_written_in_its_own_way() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/json ;charset=\"UTF-8\""] {
        let key = Uuid::new_v4().to_string();
        let request = || merchant.request(Method::POST, "/invoices").header("Idempotency-Key", &key);
        let request = || request().header("Content-Type", media_type).body(Merchant::invoice().to_string());
        assert_eq!(Answer::patiently(request).await.status, 201, "{media_type}");
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let limit = 64 * 1024;
    let padded = |size: usize| {
        let body = Merchant::invoice().to_string();
        format!("{body}{}", " ".repeat(size - body.len()))
    };
    let request = |body: String| {
        let request = merchant.request(Method::POST, "/invoices").header("Idempotency-Key", "key");
        request.header("Content-Type", "application/json").body(body)
    };
    for size in [limit + 1, 10_000_000] {
        assert_refused(&format!("{size} bytes"), request(padded(size)), TOO_LARGE).await;
    }
    let mut long = Merchant::invoice();
    long["title"] = json!("t".repeat(10_000_000));
    assert_refused("a title of 10 MB", request(long.to_string()), TOO_LARGE).await;
    let longest = Answer::patiently(|| request(padded(limit))).await;
    assert_eq!(longest.status, 201, "the limit itself, and the key is free: {longest:#?}");
}
