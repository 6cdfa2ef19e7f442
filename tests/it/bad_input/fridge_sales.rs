//! `POST /machines/{id}/open`, field by field. All requests have one key: in the end it is still free, so that no
//! refused request left a row or a process. Of `POST /vendron/notifications/{ref}/{token}`, which takes any body, what
//! else can be wrong.

use reqwest::{Body, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Answer, Fridge, TestApp};

use super::{
    NO_JSON, NO_OBJECT, NOT_FOUND, NOT_OUR_TYPE, OTHER_METHOD, Refusal, TOO_LARGE, assert_refused, misshapen, no_texts,
    unacceptable, with, without,
};

const KEY: &str = "the key of all that is refused";
const TEXTS: [&str; 5] = ["user.id", "user.email", "stripe.payment_intent_id", "stripe.amount", "stripe.currency"];

/// A machine that nobody gets opened.
struct Refused {
    app: TestApp,
    fridge: Fridge,
}

impl Refused {
    async fn new() -> Self {
        let app = TestApp::shared();
        Self { fridge: app.fridge().await, app }
    }

    fn path(&self, what: &str) -> String {
        format!("/machines/{}/{what}", self.fridge.id())
    }

    /// A request to open with a body that no library wrote.
    fn raw(&self, media_type: &str, body: impl Into<Body>) -> RequestBuilder {
        let request = self.fridge.frontend().request(Method::POST, &self.path("open")).header("Idempotency-Key", KEY);
        request.header("Content-Type", media_type).body(body)
    }

    async fn each(&self, place: &str, values: impl IntoIterator<Item: Into<Value>>, refusal: Refusal) {
        for value in values {
            let value = value.into();
            let shown: String = value.to_string().chars().take(60).collect();
            let request = self.fridge.opening(KEY, &put(&self.fridge.order(), place, value));
            assert_refused(&format!("{place} = {shown}"), request, refusal).await;
        }
    }

    /// Nothing was written, Vendron heard nothing, and no process holds the key.
    async fn left_nothing(&self) {
        let fridge = &self.fridge;
        let count = r#"select (select count(*) from transaction where frontend = $1)
                           + (select count(*) from "user" where frontend = $1)
                           + (select count(*) from event where machine_id = $2)"#;
        let count = query_scalar(count).bind(fridge.frontend().principal()).bind(fridge.id());
        let rows: i64 = count.fetch_one(&self.app.database().await).await.unwrap();
        assert_eq!((rows, fridge.effects("session_begun").await), (0, vec![]));
        let sale = fridge.try_to_open(KEY).await;
        assert_eq!(sale.answer.status, StatusCode::CREATED, "{:#?}", sale.answer);
        fridge.close().await;
        sale.until("empty").await;
    }
}

/// The order with something else in one place, which is written as answers name it.
fn put(order: &Value, place: &str, value: Value) -> Value {
    match place.split_once('.') {
        Some((object, field)) => with(order, object, with(&order[object], field, value)),
        None => with(order, place, value),
    }
}

/// The order without one place.
fn cut(order: &Value, place: &str) -> Value {
    match place.split_once('.') {
        Some((object, field)) => with(order, object, without(&order[object], field)),
        None => without(order, place),
    }
}

#[tokio::test]
async fn orders_of_another_form() {
    let refused = Refused::new().await;
    let order = refused.fridge.order();
    for place in TEXTS {
        refused.each(place, no_texts(), misshapen(place)).await;
    }
    for (object, first) in [("user", "user.id"), ("stripe", "stripe.payment_intent_id")] {
        let none = [json!(null), json!(7), json!(true), json!("text"), json!(["a", "b@c.d", "e"])];
        refused.each(object, none, misshapen(object)).await;
        refused.each(object, [json!({}), json!({ "more": 1 })], misshapen(first)).await;
    }
    for place in TEXTS.into_iter().chain(["user", "stripe"]) {
        let request = refused.fridge.opening(KEY, &cut(&order, place));
        assert_refused(&format!("no {place}"), request, misshapen(place)).await;
    }
    for unknown in ["ref", "machine_id", "frontend", "status", "User"] {
        refused.each(unknown, ["x"], misshapen(unknown)).await;
    }
    refused.left_nothing().await;
}

#[tokio::test]
async fn buyers_that_cannot_be_kept() {
    let refused = Refused::new().await;
    for place in ["user.id", "stripe.payment_intent_id"] {
        let bad = ["", "\u{0}", "a\nb", "a\tb", "\u{1b}[31m", "a\u{7f}", "a\u{85}b", &"é".repeat(201)];
        refused.each(place, bad, unacceptable(place)).await;
    }
    let bad =
        ["", " ", "nobody", "@", "@b.c", "a@", "a@b@c", "a b@c.d", "a@b c", "a@b.c ", "a@b\n", "a@b\u{0}", "a@\u{85}"];
    refused.each("user.email", bad, unacceptable("user.email")).await;
    refused.each("user.email", [format!("{}@b.c", "é".repeat(251))], unacceptable("user.email")).await;
    for (more, object) in [("user.more", "user"), ("stripe.more", "stripe")] {
        refused.each(more, ["x".repeat(4096), "é".repeat(2048)], unacceptable(object)).await;
        refused.each(more, ["x".repeat(70_000)], TOO_LARGE).await;
    }
    refused.left_nothing().await;
}

#[tokio::test]
async fn sums_that_stripe_cannot_have_authorised() {
    let refused = Refused::new().await;
    let signs = ["-1", "+1", "-0", "1e3", "NaN", "Infinity", "∞", "0x10", "1/2", "２０", "٢٠"];
    let shapes = ["", " ", ".", "20.", ".5", "1.2.3", "20,00", "1,000.00", "1 000", "€20", " 20", "20\n", "20\u{0}"];
    let sizes = ["0", "0.00", "0.001", "20.001", "1000000000000000.00", &"9".repeat(81), &"0".repeat(60_000)];
    for amounts in [&signs[..], &shapes, &sizes] {
        refused.each("stripe.amount", amounts.iter().copied(), unacceptable("stripe.amount")).await;
    }
    let currencies = ["", "eur", "Eur", "EU", "EURO", "E1R", " EUR", "EU\u{0}", "€", "ＥＵＲ", "978"];
    refused.each("stripe.currency", currencies, unacceptable("stripe.currency")).await;

    let yen = json!({ "payment_intent_id": "pi", "amount": "20.50", "currency": "JPY" });
    refused.each("stripe", [yen], unacceptable("stripe.amount")).await;
    let all_bad = json!({
        "user": { "id": "", "email": "", "more": "x".repeat(4096) },
        "stripe": { "payment_intent_id": "", "amount": "0", "currency": "eur", "more": "x".repeat(4096) },
    });
    for place in TEXTS.into_iter().chain(["user", "stripe"]) {
        assert_refused("all of it", refused.fridge.opening(KEY, &all_bad), unacceptable(place)).await;
    }
    refused.left_nothing().await;
}

#[tokio::test]
async fn bodies_that_are_no_order() {
    let refused = Refused::new().await;
    let (order, whole) = (refused.fridge.order(), refused.fridge.order().to_string());
    let (head, tail) = whole.split_once(r#""user":{"#).unwrap();
    let more = |value: &[u8]| [head.as_bytes(), br#""user":{"more":"#, value, b",", tail.as_bytes()].concat();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let twice = format!(r#"{{"user":{},{}"#, order["user"], &whole[1..]);
    let mut bodies = vec![(twice.into_bytes(), misshapen("user"))];
    bodies.push((format!(r#"{head}"user":{{"id":"twice",{tail}"#).into_bytes(), misshapen("user.id")));
    let texts = ["", "{", "{'user':{}}", &whole[..whole.len() - 1], &whole.repeat(2), &whole.replace("}}", "},}")];
    bodies.extend(texts.map(|text| (text.as_bytes().to_vec(), NO_JSON)));
    // What nobody looks into is kept, and has to be JSON all the same.
    let kept = [&br#""\ud800""#[..], b"\"\xff\"", b"\"a\nb\"", b"1e999", b"NaN", deep.as_bytes()];
    bodies.extend(kept.map(|value| (more(value), NO_JSON)));
    bodies.extend(["null", "7", "\"text\"", "[]", "[{},{}]"].map(|text| (text.as_bytes().to_vec(), NO_OBJECT)));
    for (body, refusal) in bodies {
        let shown: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        assert_refused(&shown, refused.raw("application/json", body), refusal).await;
    }
    for media_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
        assert_refused(media_type, refused.raw(media_type, whole.clone()), NOT_OUR_TYPE).await;
    }
    refused.left_nothing().await;
}

#[tokio::test]
async fn requests_without_a_key_for_another_machine_or_in_another_way() {
    let refused = Refused::new().await;
    let (fridge, frontend) = (&refused.fridge, refused.fridge.frontend());
    let missing = Refusal { status: 400, code: "idempotency_key_missing", field: None };
    let invalid = Refusal { code: "idempotency_key_invalid", ..missing };
    let keyless = || frontend.request(Method::POST, &refused.path("open")).json(&fridge.order());
    assert_refused("no key", keyless(), missing).await;
    assert_refused("two keys", fridge.opening(KEY, &fridge.order()).header("Idempotency-Key", KEY), invalid).await;
    for key in ["", "\"", "\"open", "a\tb", &"k".repeat(256)] {
        assert_refused(key, keyless().header("Idempotency-Key", key), invalid).await;
    }
    let other_spellings = [fridge.id().to_lowercase(), fridge.uid().to_owned(), format!("{}%20", fridge.id())];
    let nonsense = ["", "x", "%00", "%FF", "%2e%2e", "a%2fb", "..%2f..%2fetc", "null", "'--", "%25", "%F0%9F%91%8B"];
    let long = [65, 4000].map(|length| "F".repeat(length));
    for id in other_spellings.into_iter().chain(nonsense.map(str::to_owned)).chain(long) {
        let open = frontend.request(Method::POST, &format!("/machines/{id}/open")).header("Idempotency-Key", KEY);
        assert_refused(&id, open.json(&fridge.order()), NOT_FOUND).await;
        assert_refused(&id, frontend.request(Method::GET, &format!("/machines/{id}/status")), NOT_FOUND).await;
    }
    for (method, path) in [(Method::GET, "open"), (Method::PUT, "open"), (Method::POST, "status")] {
        assert_refused(path, frontend.request(method, &refused.path(path)), OTHER_METHOD).await;
    }
    refused.left_nothing().await;
}

#[tokio::test]
async fn notifications_that_are_sent_in_another_way() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    let url = fridge.notification_url().await;
    let (address, token) = url.rsplit_once('/').unwrap();
    let base = address.rsplit_once('/').unwrap().0;
    let refused = "what is refused is not kept";
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let request = app.http().request(method.clone(), &url).header("Origin", "https://shop.example").body(refused);
        let request = request.header("Access-Control-Request-Method", "POST");
        let answer = assert_refused(method.as_str(), request, OTHER_METHOD).await;
        assert_eq!(answer.headers["allow"], "POST", "{method}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{method}: this is not for pages");
    }
    let longer = ["/", "//", "/more", "%00", "%20", "%FF", "%2f", ".json"].map(|more| format!("{url}{more}"));
    let others = [address.to_owned(), format!("{address}/"), format!("{address}//{token}"), base.to_owned()];
    for path in longer.into_iter().chain(others) {
        assert_refused(&path, app.http().post(&path).body(refused), NOT_FOUND).await;
    }
    let compressed = app.http().post(&url).header("Content-Encoding", "gzip").body(refused);
    assert_refused("compressed", compressed, NOT_OUR_TYPE).await;

    // As everywhere where nothing is asked in a query, nobody looks at it.
    for query in ["", "?", "?x=1", "?x=1&x=2", "?%00", "?token=x/"] {
        let request = || app.http().post(format!("{url}{query}")).body("what is taken");
        let answer = Answer::patiently(request).await;
        assert_eq!(
            (answer.status, answer.text("ref")),
            (StatusCode::OK, sale.sale_ref.to_string().as_str()),
            "{query}"
        );
    }
    sale.until_heard("unreadable").await;
    let kept = query_scalar("select raw from event where transaction_id = $1 and name = 'unreadable'");
    let kept: Vec<String> = kept.bind(sale.transaction_id()).fetch_all(&app.database().await).await.unwrap();
    assert_eq!(kept, ["what is taken"]);
    fridge.close().await;
    sale.until("empty").await;
}
