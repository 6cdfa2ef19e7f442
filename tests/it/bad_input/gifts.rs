//! `POST /api/gifts/use` and `POST /api/gifts/{id}/void`, field by field. All requests have one key: in the end it is
//! still free, nobody has tried a PIN, and no answer has repeated the one that was sent.

use reqwest::{Body, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::{PgPool, query_as};
use system_tests::{Answer, Shop, Supplier, TestApp};

use super::{
    NO_JSON, NO_OBJECT, NOT_FOUND, NOT_OUR_TYPE, OTHER_METHOD, Refusal, TOO_LARGE, assert_refused, misshapen, no_texts,
    unacceptable, with, without,
};

const KEY: &str = "the key of all that is refused";
/// Is nowhere by chance.
const PIN: &str = "7061529384";
const JSON: &str = "application/json";

/// A device whose requests are all refused.
struct Refused {
    supplier: Supplier,
    shop: Shop,
    gift_id: String,
    database: PgPool,
}

impl Refused {
    async fn new() -> Self {
        let app = TestApp::shared();
        let supplier = app.supplier(&[PIN]);
        Self { shop: supplier.device(), supplier, gift_id: app.gift(), database: app.database().await }
    }

    fn body(&self) -> Value {
        json!({ "gift_id": self.gift_id, "supplier_invoice_no": self.supplier.account(0).number, "pin": PIN })
    }

    /// A request with a body that no library wrote.
    fn raw(&self, path: &str, media_type: &str, body: impl Into<Body>) -> RequestBuilder {
        let request = self.shop.request(Method::POST, path).header("Idempotency-Key", KEY);
        request.header("Content-Type", media_type).body(body)
    }

    async fn refuses(&self, request: RequestBuilder, refusal: Refusal, what: &str) -> Answer {
        let shown: String = what.chars().take(200).collect();
        let answer = assert_refused(&shown, request, refusal).await;
        assert!(!format!("{answer:?}").contains(PIN), "{shown}: {answer:#?}");
        answer
    }

    async fn refuses_use(&self, body: &Value, refusal: Refusal) {
        self.refuses(self.shop.saying(KEY, body), refusal, &body.to_string()).await;
    }

    async fn each(&self, field: &str, values: impl IntoIterator<Item: Into<Value>>, refusal: Refusal) {
        for value in values {
            self.refuses_use(&with(&self.body(), field, value.into()), refusal).await;
        }
    }

    async fn refuses_void(&self, body: &str, refusal: Refusal) {
        let path = format!("/api/gifts/{}/void", self.gift_id);
        self.refuses(self.raw(&path, JSON, body.to_owned()), refusal, body).await;
    }

    /// What the tables say: how often the gift is used, decided uses and undone ones of the device, its attempts, and
    /// for how many a PIN was counted.
    async fn traces(&self) -> (i64, i64, i64, i64, i64) {
        let counts = "select (select count(*) from gift_codes where gift_id = $3 and gift_status = 1),
                             (select count(*) from gift_redemption where device = $1),
                             (select count(*) from gift_void where device = $1),
                             (select count(*) from gift_audit where device = $1),
                             (select count(*) from pin_guard
                              where subject in ('device:' || $1, 'supplier:' || $2) or subject in
                                  (select 'account:' || account_id from supplier_accounts where supplier_code = $2))";
        let counts = query_as(counts).bind(self.shop.principal()).bind(&self.supplier.code).bind(&self.gift_id);
        counts.fetch_one(&self.database).await.unwrap()
    }

    /// Nothing was written, no PIN was counted, and no process holds the key.
    async fn left_nothing(&self) {
        assert_eq!(self.traces().await, (0, 0, 0, 0, 0));
        let used = self.shop.ask_to_use(KEY, &self.gift_id, self.supplier.account(0)).await;
        assert_eq!(used.status, StatusCode::OK, "{used:#?}");
    }
}

#[tokio::test]
async fn ids_that_name_no_gift_and_no_supplier() {
    let refused = Refused::new().await;
    let signs = ["", " ", ".", "..", ".G-1", "../G-1", "a/b", "a\\b", " G-1", "G-1 ", "G 1", "G-1\n", "G\t1"];
    let characters = ["\u{0}", "G\u{0}", "\u{1b}[2J", "\u{7f}", "é", "Ｇ-1", "١", "G\u{200b}1", "\u{feff}G", "👋"];
    for field in ["gift_id", "supplier_invoice_no"] {
        for ids in [&signs[..], &characters] {
            refused.each(field, ids.iter().copied(), unacceptable(field)).await;
        }
        refused.each(field, [65, 50_000].map(|length| "9".repeat(length)), unacceptable(field)).await;
        refused.each(field, no_texts(), misshapen(field)).await;
        refused.refuses_use(&without(&refused.body(), field), misshapen(field)).await;
    }
    for unknown in ["PIN", "supplier_account", "supplier_code", "status", "redemption_id"] {
        refused.each(unknown, [PIN], misshapen(unknown)).await;
    }
    // More often than a PIN may be wrong: beside no gift it is not even tried.
    for _ in 0..6 {
        let guess = json!({ "gift_id": "", "supplier_invoice_no": "a b", "pin": "9999" });
        refused.refuses_use(&guess, unacceptable("gift_id")).await;
        refused.refuses_use(&guess, unacceptable("supplier_invoice_no")).await;
    }
    refused.left_nothing().await;
}

#[tokio::test]
async fn pins_that_are_no_text_are_not_tried() {
    let refused = Refused::new().await;
    let number: u64 = PIN.parse().unwrap();
    let of_it = [json!(number), json!([PIN]), json!([[number]]), json!({ PIN: PIN }), json!({ "pin": PIN })];
    refused.each("pin", of_it.into_iter().chain(no_texts()), misshapen("pin")).await;
    refused.refuses_use(&without(&refused.body(), "pin"), misshapen("pin")).await;
    refused.each("pin", [PIN.repeat(7_000)], TOO_LARGE).await;
    refused.left_nothing().await;
}

/// It is counted like any other: of a PIN nobody is told more than that it is wrong.
#[tokio::test]
async fn texts_that_can_be_no_pin_are_wrong_ones() {
    let refused = Refused::new().await;
    let wrong = Refusal { status: 400, code: "credentials_invalid", field: None };
    for pin in [format!(" {PIN}"), format!("{PIN}\n"), format!("{PIN}\u{0}"), PIN.repeat(5_000)] {
        let body = with(&refused.body(), "pin", json!(pin));
        let answer = refused.refuses(refused.shop.saying(KEY, &body), wrong, &pin).await;
        assert_eq!(answer.body["errors"], json!([]));
    }
    assert_eq!(refused.traces().await, (0, 0, 0, 4, 2));
    refused.shop.use_gift(&refused.gift_id, refused.supplier.account(0)).await;
}

#[tokio::test]
async fn bodies_that_use_no_gift() {
    let refused = Refused::new().await;
    let (path, whole) = ("/api/gifts/use", refused.body().to_string());
    let form = format!("gift_id={}&pin={PIN}", refused.gift_id);
    let (quoted, open) = (whole.replace('"', "'"), whole.replace(&format!("{PIN}\""), PIN));
    let texts = ["", &whole[..whole.len() - 1], &whole.repeat(2), &whole.replace('}', ",}"), &quoted, &form, &open];
    let list = json!([refused.gift_id, refused.supplier.account(0).number, PIN]).to_string();
    let twice = whole.replace('}', &format!(r#","pin":"{PIN}"}}"#));
    let bodies = texts.map(|text| (text, NO_JSON)).into_iter();
    let bodies = bodies.chain(["null", "7", "[]", &list].map(|text| (text, NO_OBJECT)));
    for (body, refusal) in bodies.chain([(twice.as_str(), misshapen("pin"))]) {
        refused.refuses(refused.raw(path, JSON, body.to_owned()), refusal, body).await;
    }
    for media_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
        refused.refuses(refused.raw(path, media_type, whole.clone()), NOT_OUR_TYPE, media_type).await;
    }
    refused.refuses(refused.shop.request(Method::PUT, path).json(&refused.body()), OTHER_METHOD, path).await;
    refused.left_nothing().await;
}

#[tokio::test]
async fn reasons_that_undo_nothing() {
    let refused = Refused::new().await;
    let used = refused.shop.use_gift(&refused.gift_id, refused.supplier.account(0)).await;
    let before = refused.traces().await;
    for reason in ["\u{0}", "a\nb", "a\tb", "\u{1b}[2J", "a\u{7f}", "a\u{85}", &"é".repeat(201)] {
        refused.refuses_void(&json!({ "reason": reason }).to_string(), unacceptable("reason")).await;
    }
    for reason in no_texts() {
        refused.refuses_void(&json!({ "reason": reason }).to_string(), misshapen("reason")).await;
    }
    for unknown in ["pin", "Reason", "gift_id", "redemption_id"] {
        refused.refuses_void(&json!({ unknown: PIN }).to_string(), misshapen(unknown)).await;
    }
    refused.refuses_void(r#"{"reason":"one","reason":"two"}"#, misshapen("reason")).await;
    let whole = [("", NO_JSON), ("{", NO_JSON), ("{}{}", NO_JSON), ("null", NO_OBJECT), (r#"["x"]"#, NO_OBJECT)];
    for (body, refusal) in whole {
        refused.refuses_void(body, refusal).await;
    }
    refused.refuses_void(&json!({ "reason": "x".repeat(70_000) }).to_string(), TOO_LARGE).await;
    let path = format!("/api/gifts/{}/void", refused.gift_id);
    refused.refuses(refused.raw(&path, "", "{}"), NOT_OUR_TYPE, "no media type").await;
    refused.refuses(refused.shop.request(Method::DELETE, &path), OTHER_METHOD, "a deletion").await;
    assert_eq!(refused.traces().await, before);
    let voided = refused.shop.ask_to_void(KEY, &refused.gift_id).await;
    assert_eq!((voided.status, voided.text("redemption_id")), (StatusCode::OK, used.to_string().as_str()));
}

#[tokio::test]
async fn paths_that_name_no_gift() {
    let refused = Refused::new().await;
    let id = &refused.gift_id;
    let spellings = [format!("{id}%20"), format!("%20{id}"), format!("{id}%0A"), format!(".%2F{id}"), format!(".{id}")];
    let nonsense = ["", "%00", "%FF", "%2e%2e", "G%2F1", "G%5C1", "..%2Fuse", "%F0%9F%91%8B", "%EF%BC%A7-1"];
    let long = [65, 4000].map(|length| "G".repeat(length));
    for id in spellings.into_iter().chain(nonsense.map(str::to_owned)).chain(long) {
        refused.refuses(refused.shop.voiding(KEY, &id), NOT_FOUND, &id).await;
    }
    refused.left_nothing().await;
}
