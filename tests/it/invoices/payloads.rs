//! Every payload at Temporal is encrypted; operators can read it, nobody else can.

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Answer, Merchant, TestApp};

#[tokio::test]
async fn a_history_shows_nothing_of_what_it_holds() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut body = Merchant::invoice();
    body["title"] = json!("CANARY-IN-THE-TITLE");
    let created = merchant.create(&body).await;
    let history = app.history(created.invoice_id()).await.to_bytes();
    let shows = |text: &str| history.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(shows("binary/encrypted"), "the payloads are not sealed");
    assert!(!shows("CANARY-IN-THE-TITLE"));
    assert!(!shows(created.text("deposit_address")));
}

#[tokio::test]
async fn an_operator_can_seal_and_open_and_a_merchant_cannot() {
    let app = TestApp::shared();
    let keys = &app.stack().demo().keys;
    let clear = json!({ "payloads": [{ "metadata": { "encoding": "anNvbi9wbGFpbg==" }, "data": "ImhlbGxvIg==" }] });
    let codec = |key: &str, verb: &str, body: &Value| {
        Answer::to(app.http().post(app.api(&format!("/codec/{verb}"))).bearer_auth(key).json(body))
    };
    let sealed = codec(&keys.operator, "encode", &clear).await;
    assert_eq!(sealed.status, StatusCode::OK, "{sealed:#?}");
    assert_eq!(sealed.body["payloads"][0]["metadata"]["encoding"], "YmluYXJ5L2VuY3J5cHRlZA==");
    let opened = codec(&keys.operator, "decode", &sealed.body).await;
    assert_eq!(opened.body["payloads"][0]["data"], clear["payloads"][0]["data"]);
    assert_eq!(codec(&keys.merchant, "decode", &sealed.body).await.status, StatusCode::FORBIDDEN);
    let without = app.http().post(app.api("/codec/decode")).json(&sealed.body);
    assert_eq!(Answer::to(without).await.status, StatusCode::UNAUTHORIZED);
}
