//! `POST /invoices`, field by field. All requests have one key: in the end it is still free, so that no refused request
//! left a row or a process.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Merchant, TestApp};

use super::{Refusal, assert_refused, misshapen, no_integers, no_texts, unacceptable, with, without};

const KEY: &str = "the key of all that is refused";
const WEEK_OF_WEEKS: i64 = 2_592_001;

/// A merchant whose requests are all refused.
struct Refused {
    app: TestApp,
    merchant: Merchant,
}

impl Refused {
    fn new() -> Self {
        let app = TestApp::shared();
        Self { merchant: app.merchant(), app }
    }

    fn request(&self, body: &Value) -> RequestBuilder {
        self.merchant.request(Method::POST, "/invoices").header("Idempotency-Key", KEY).json(body)
    }

    async fn each(&self, field: &'static str, values: impl IntoIterator<Item = Value>, refusal: Refusal) {
        for value in values {
            let body = with(&Merchant::invoice(), field, value.clone());
            let shown: String = value.to_string().chars().take(60).collect();
            assert_refused(&format!("{field} = {shown}"), self.request(&body), refusal).await;
        }
    }

    async fn accepted(&self, field: &'static str, value: Value) {
        let created = self.merchant.create(&with(&Merchant::invoice(), field, value.clone())).await;
        assert_eq!(created.body[field], value);
    }

    /// Nothing was written, and no process holds the key.
    async fn left_nothing(&self) {
        let count = query_scalar("select count(*) from invoice where merchant_id = $1").bind(self.merchant.id());
        let rows: i64 = count.fetch_one(&self.app.database().await).await.unwrap();
        assert_eq!(rows, 0);
        let created = self.merchant.insist(KEY).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
    }
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

#[tokio::test]
async fn coins_and_networks_that_do_not_fit() {
    let refused = Refused::new();
    let nonsense = ["", " ", "doge", "USDT", " usdt", "usdt ", "usdt\u{0}", "us\u{200b}dt", "usdt'--", "ｕｓｄｔ"];
    refused.each("coin_id", texts(&nonsense), unacceptable("coin_id")).await;
    refused.each("network_id", texts(&nonsense), unacceptable("network_id")).await;
    refused.each("coin_id", [json!("btc"), json!("x".repeat(60_000))], unacceptable("coin_id")).await;
    refused
        .each("network_id", texts(&["bitcoin", "solana", "TRON"]), Refusal { field: None, ..unacceptable("") })
        .await;
    for field in ["coin_id", "network_id"] {
        refused.each(field, no_texts(), misshapen(field)).await;
        let body = without(&Merchant::invoice(), field);
        assert_refused(&format!("no {field}"), refused.request(&body), misshapen(field)).await;
    }
    refused.left_nothing().await;
}

#[tokio::test]
async fn case_37_amounts_that_are_none() {
    let refused = Refused::new();
    let signs = ["-1", "+1", "-0", "--1", "1-", "1e3", "1E3", "1e-3", "NaN", "nan", "Infinity", "-inf", "∞"];
    let shapes = ["", " ", ".", "1.", ".5", "1.2.3", "1,5", "1,000.00", "1 000", "1_000", "0x10", "1/2", "12.50 USDT"];
    let spaces = [" 1", " 12.50", "12.50 ", "12.50\n", "12.50\u{0}", "\u{a0}12.50", "\u{feff}12.50", "12.50\u{200e}"];
    let digits = ["１", "１２.５０", "١٢", "1२", "Ⅻ", "½"];
    let sizes = ["0", "0.0", "0.000000", "0.0000001", "12.1234567", "0.000000000000000001"];
    for amounts in [&signs[..], &shapes, &spaces, &digits, &sizes] {
        refused.each("amount", texts(amounts), unacceptable("amount")).await;
    }
    let long = [79, 200, 60_000].map(|length| json!("9".repeat(length)));
    refused.each("amount", long, unacceptable("amount")).await;
    refused.each("amount", [json!(format!("0.{}1", "0".repeat(300)))], unacceptable("amount")).await;
    refused.each("amount", no_texts(), misshapen("amount")).await;
    let body = without(&Merchant::invoice(), "amount");
    assert_refused("no amount", refused.request(&body), misshapen("amount")).await;
    refused.left_nothing().await;
}

#[tokio::test]
async fn texts_that_cannot_be_kept() {
    let refused = Refused::new();
    let control = texts(&["a\u{0}b", "\u{7}", "\u{1b}[31m", "a\u{7f}", "a\u{85}b"]);
    for field in ["title", "description", "external_id"] {
        refused.each(field, control.clone(), unacceptable(field)).await;
    }
    refused.each("title", texts(&["a\nb", "a\tb", "a\r\nb"]), unacceptable("title")).await;
    for (field, length) in [("title", 201), ("description", 2001), ("external_id", 201)] {
        refused.each(field, [json!("é".repeat(length))], unacceptable(field)).await;
    }
    refused.each("external_id", [json!("")], unacceptable("external_id")).await;
    for field in ["title", "description", "checkout_url"] {
        refused.each(field, no_texts(), misshapen(field)).await;
    }
    refused.each("external_id", no_texts().into_iter().skip(1), misshapen("external_id")).await;
    refused.left_nothing().await;
}

#[tokio::test]
async fn unusual_texts_are_kept_as_they_are() {
    let refused = Refused::new();
    refused.accepted("title", json!("\u{202e}evil\u{202c} שלום 👩‍👩‍👧 <script>alert(1)</script> '; drop table")).await;
    refused.accepted("title", json!("\u{fffd}\u{ffff} \u{10ffff}\u{200f}")).await;
    refused.accepted("description", json!("line\r\nline\ttab")).await;
    refused.accepted("external_id", json!(" order 7/ä ")).await;
    refused.accepted("checkout_url", json!("https://xn--bcher-kva.example:8443/a%20b?c=d&e=%00#top")).await;
}

#[tokio::test]
async fn addresses_to_which_no_buyer_is_sent() {
    let refused = Refused::new();
    let schemes = [
        "javascript:alert(1)",
        "JavaScript://shop.example/%0aalert(1)",
        "data:text/html,x",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "shop.example/done",
        "//shop.example/done",
        "/done",
        "?done",
        "https:",
        "https:/shop.example",
    ];
    let hosts = [
        "https://",
        "https:///done",
        "https://user@shop.example/",
        "https://user:password@shop.example/",
        "https://shop.example:999999/",
        "https://shop.example:port/",
        "https://shop .example/",
        "https://[::1/",
        "https://shop.example\\@evil.example/",
        "https://bücher.example/",
    ];
    let characters =
        ["https://shop.example/a b", " https://shop.example/", "https://shop.example/\u{0}", "https://a/<b>"];
    for urls in [&schemes[..], &hosts, &characters] {
        refused.each("checkout_url", texts(urls), unacceptable("checkout_url")).await;
    }
    let long = format!("https://shop.example/{}", "a".repeat(2000));
    refused.each("checkout_url", [json!(long)], unacceptable("checkout_url")).await;
    refused.left_nothing().await;
}

#[tokio::test]
async fn times_to_pay_that_are_none() {
    let refused = Refused::new();
    let field = "expires_in_seconds";
    let out_of_range = [0, -1, WEEK_OF_WEEKS, i64::MAX, i64::MIN].map(|seconds| json!(seconds));
    refused.each(field, out_of_range, unacceptable(field)).await;
    refused.each(field, no_integers(), misshapen(field)).await;
    refused.left_nothing().await;
}

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let refused = Refused::new();
    let body = json!({
        "coin_id": "doge", "network_id": "tron", "amount": "-1", "title": "\u{0}", "checkout_url": "ftp://x",
        "external_id": "", "expires_in_seconds": 0,
    });
    for field in ["coin_id", "amount", "title", "checkout_url", "external_id", "expires_in_seconds"] {
        assert_refused("all of it", refused.request(&body), unacceptable(field)).await;
    }
    let unknown = with(&Merchant::invoice(), "merchant_id", json!(refused.merchant.id()));
    assert_refused("an unknown field", refused.request(&unknown), misshapen("merchant_id")).await;
    refused.left_nothing().await;
}
