//! `POST /codec/decode` and `/codec/encode`: what is no payload, and what was not sealed by us.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use system_tests::{Answer, TestApp};

fn request(app: &TestApp, verb: &str, body: &Value) -> RequestBuilder {
    app.http().post(app.api(&format!("/codec/{verb}"))).bearer_auth(&app.stack().demo().keys.operator).json(body)
}

fn payload(encoding: &str, data: &str) -> Value {
    json!({ "payloads": [{ "metadata": { "encoding": encoding, "encryption-key-id": "bG9jYWwtMQ==" }, "data": data }] })
}

/// `binary/encrypted` as Temporal writes it in JSON.
const SEALED: &str = "YmluYXJ5L2VuY3J5cHRlZA==";

#[tokio::test]
async fn what_is_no_list_of_payloads_is_refused() {
    let app = TestApp::shared();
    let bad = [
        json!({ "payloads": 7 }),
        json!({ "payloads": [7] }),
        json!({ "payloads": ["text"] }),
        json!({ "payloads": [{ "metadata": 7 }] }),
        json!({ "payloads": [{ "metadata": { "encoding": 7 } }] }),
        json!({ "payloads": [{ "data": "not base64!" }] }),
        json!({ "payloads": [{ "data": 7 }] }),
    ];
    for verb in ["decode", "encode"] {
        for body in &bad {
            let answer = Answer::to(request(&app, verb, body)).await;
            assert_eq!(answer.status, 400, "{verb} {body}: {answer:#?}");
            assert_eq!(answer.body["code"], "invalid_body", "{verb} {body}");
        }
    }
}

#[tokio::test]
async fn what_we_did_not_seal_is_not_opened() {
    let app = TestApp::shared();
    for data in ["", "AA==", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="] {
        let answer = Answer::to(request(&app, "decode", &payload(SEALED, data))).await;
        assert_eq!(answer.status, 422, "{data}: {answer:#?}");
        assert_eq!(answer.body["errors"][0]["field"], "payloads", "{data}");
    }
    let clear = payload("anNvbi9wbGFpbg==", "ImhpIg==");
    let mut sealed = Answer::to(request(&app, "encode", &clear)).await.body;
    let data = sealed["payloads"][0]["data"].as_str().unwrap().to_owned();
    let turned = if data.as_bytes()[20] == b'A' { "B" } else { "A" };
    sealed["payloads"][0]["data"] = json!(format!("{}{turned}{}", &data[..20], &data[21..]));
    let answer = Answer::to(request(&app, "decode", &sealed)).await;
    assert_eq!(answer.status, 422, "one character of the seal is another: {answer:#?}");
}
