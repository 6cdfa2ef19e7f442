//! `POST /deposits`: a wrong batch is refused whole, a wrong item is answered `rejected` and keeps nothing.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sqlx::query_scalar;
use standardwebhooks::Webhook;
use system_tests::{Answer, TestApp};
use uuid::Uuid;

use super::{NO_JSON, Refusal, TOO_LARGE, assert_refused, misshapen, no_integers, no_texts, unacceptable};
use super::{with, without};

const UNSIGNED: Refusal = Refusal { status: 401, code: "signature_invalid", field: None };

/// A batch that a watcher signed.
fn signed(app: &TestApp, body: impl Into<Vec<u8>>) -> RequestBuilder {
    let body = body.into();
    let secret = Webhook::new(&app.stack().demo().keys.watcher_signing_secret).unwrap();
    let (id, now) = (Uuid::now_v7().to_string(), chrono::Utc::now().timestamp());
    let signature = secret.sign(&id, now, &body).unwrap();
    unsigned(app, body).header("webhook-id", id).header("webhook-timestamp", now).header("webhook-signature", signature)
}

fn unsigned(app: &TestApp, body: impl Into<Vec<u8>>) -> RequestBuilder {
    let request = app.http().post(app.api("/deposits")).bearer_auth(&app.stack().demo().keys.watcher);
    request.header("Content-Type", "application/json").body(body.into())
}

/// What nobody awaits, but could have happened.
fn observation(tx_id: &str) -> Value {
    json!({
        "observation_id": Uuid::now_v7(), "network_id": "tron", "coin_id": "usdt", "contract": null, "address": "T1",
        "tx_id": tx_id, "output_ref": "v:0", "amount": "12.50", "state": "included", "block_height": 5,
        "block_hash": "ab", "tip_height": 7, "first_seen_at": "2026-01-31T12:00:00Z", "version": 1,
    })
}

async fn kept(app: &TestApp, tx_id: &str) -> i64 {
    let count = query_scalar("select count(*) from invoice_transaction where tx_id = $1").bind(tx_id);
    count.fetch_one(&app.database().await).await.unwrap()
}

#[tokio::test]
async fn bad_batches_are_refused_whole() {
    let app = TestApp::shared();
    let item = observation("whole");
    for body in ["", "{", "[", "{'observations':[]}", "\u{feff}{}"] {
        let refusal = if body == "[" { Refusal { code: "invalid_body", ..NO_JSON } } else { NO_JSON };
        assert_refused(body, signed(&app, body), refusal).await;
    }
    for (body, field) in [
        (json!({}), "observations"),
        (json!({ "observations": null }), "observations"),
        (json!({ "observations": item }), "observations"),
        (json!({ "observations": "x" }), "observations"),
        (json!({ "observations": [item], "more": 1 }), "more"),
    ] {
        assert_refused(&body.to_string(), signed(&app, body.to_string()), misshapen(field)).await;
    }
    let many = json!({ "observations": vec![7; 501] }).to_string();
    assert_refused("501 items", signed(&app, many), unacceptable("observations")).await;
    let nested = format!(r#"{{"observations":[{}]}}"#, "[".repeat(10_000));
    assert_refused("10,000 levels", signed(&app, nested), NO_JSON).await;
    assert_refused("64 KiB and one", signed(&app, " ".repeat(65_537)), TOO_LARGE).await;
    assert_eq!(kept(&app, "whole").await, 0);
}

#[tokio::test]
async fn signatures_that_do_not_fit_are_refused() {
    let app = TestApp::shared();
    let body = json!({ "observations": [observation("unsigned")] }).to_string();
    assert_refused("no signature", unsigned(&app, body.clone()), UNSIGNED).await;
    let (now, old) = (chrono::Utc::now().timestamp(), chrono::Utc::now().timestamp() - 3600);
    let secret = Webhook::new(&app.stack().demo().keys.watcher_signing_secret).unwrap();
    let stale = secret.sign("id", old, body.as_bytes()).unwrap();
    let of_another_body = secret.sign("id", now, b"{}").unwrap();
    let times =
        [old.to_string(), now.to_string(), "x".to_owned(), String::new(), "-1".to_owned(), i64::MAX.to_string()];
    for time in &times {
        for signature in [&stale, &of_another_body, "v1,", "v1", "", "v1,AAAA", "v2,AAAA", "v1,é"] {
            let request = unsigned(&app, body.clone()).header("webhook-id", "id").header("webhook-timestamp", time);
            assert_refused(signature, request.header("webhook-signature", signature), UNSIGNED).await;
        }
    }
    let other_type = unsigned(&app, body).header("Content-Type", "text/plain");
    assert_refused("another type", other_type, Refusal { status: 401, ..UNSIGNED }).await;
    assert_eq!(kept(&app, "unsigned").await, 0);
}

/// Every bad item, with the field that has to be named as the reason.
fn bad_items(tx_id: &str) -> Vec<(&'static str, Value)> {
    let good = observation(tx_id);
    let mut items = Vec::new();
    for field in ["network_id", "coin_id", "address", "output_ref", "amount"] {
        items.push((field, without(&good, field)));
        items.extend(no_texts().into_iter().map(|value| (field, with(&good, field, value))));
        let bad = ["", "\u{0}", "a\nb", &"x".repeat(201)].map(|text| (field, with(&good, field, json!(text))));
        items.extend(bad);
    }
    for field in ["contract", "block_hash"] {
        let others = no_texts().into_iter().skip(1).chain([json!(""), json!("\u{0}"), json!("x".repeat(201))]);
        items.extend(others.map(|value| (field, with(&good, field, value))));
    }
    for field in ["block_height", "tip_height", "version"] {
        let nulls = usize::from(field == "block_height");
        let bad = no_integers().into_iter().skip(nulls).chain([json!(-1), json!(i64::MIN), json!(i64::MAX)]);
        items.extend(bad.map(|value| (field, with(&good, field, value))));
    }
    for time in
        ["", "yesterday", "2026-01-31", "2026-13-01T00:00:00Z", "-9999-01-01T00:00:00Z", "+262142-01-01T00:00:00Z"]
    {
        items.push(("first_seen_at", with(&good, "first_seen_at", json!(time))));
    }
    for state in [json!("lost"), json!(""), json!("SEEN"), json!({ "seen": null }), json!(0)] {
        items.push(("state", with(&good, "state", state)));
    }
    items.push(("observation_id", with(&good, "observation_id", json!("x"))));
    items.push(("more", with(&good, "more", json!(1))));
    items
}

/// One batch; the reasons.
async fn rejected(app: &TestApp, items: &[Value]) -> Vec<String> {
    let answer = Answer::to(signed(app, json!({ "observations": items }).to_string())).await;
    assert_eq!(answer.status, 200, "{answer:#?}");
    let results = answer.body["results"].as_array().unwrap().iter();
    let reasons = results.zip(items).map(|(result, item)| {
        assert_eq!(result["result"], "rejected", "{item}: {result}");
        result["reason"].as_str().unwrap().to_owned()
    });
    reasons.collect()
}

#[tokio::test]
async fn bad_items_are_rejected_one_by_one() {
    let app = TestApp::shared();
    let tx_id = Uuid::now_v7().to_string();
    for batch in bad_items(&tx_id).chunks(40) {
        let (fields, items): (Vec<_>, Vec<_>) = batch.iter().cloned().unzip();
        for ((reason, field), item) in rejected(&app, &items).await.iter().zip(fields).zip(items) {
            assert!(reason.contains(field), "{field} is not named in {reason:?} of {item}");
        }
    }
    let array: Vec<_> = observation(&tx_id).as_object().unwrap().values().cloned().collect();
    let no_objects = [json!(null), json!(7), json!("x"), json!([]), json!(array)];
    rejected(&app, &no_objects).await;
    assert_eq!(kept(&app, &tx_id).await, 0);
}

#[tokio::test]
async fn amounts_and_networks_that_do_not_fit_are_rejected() {
    let app = TestApp::shared();
    let tx_id = Uuid::now_v7().to_string();
    let good = observation(&tx_id);
    let amounts = ["0", "-1", "+1", "1e3", "NaN", "Infinity", " 1", "1 ", "1,5", "0x1", "１", "1.", ".5"];
    let long = ["9".repeat(79), "9".repeat(200), format!("0.{}1", "0".repeat(190))];
    let amounts = amounts.map(str::to_owned).into_iter().chain(long);
    let mut items: Vec<_> = amounts.map(|amount| with(&good, "amount", json!(amount))).collect();
    items.extend(["solana", "TRON", "tron "].map(|network| with(&good, "network_id", json!(network))));
    rejected(&app, &items).await;
    assert_eq!(kept(&app, &tx_id).await, 0);
    let whole = json!({ "observations": [7, good] }).to_string();
    let answer = Answer::to(signed(&app, whole)).await;
    assert_eq!(answer.body["results"][1]["result"], "unmatched", "a bad one holds up nobody: {answer:#?}");
    assert_eq!(kept(&app, &tx_id).await, 1);
}
