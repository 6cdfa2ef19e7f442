//! What a merchant does with his forms.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::query;
use stack::{Part, Settings};
use system_tests::{Answer, Buyer, Merchant, TestApp};

use super::{fixed, patch, path_of};

#[tokio::test]
async fn a_form_is_kept_as_it_was_asked_for() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let body = json!({
        "coin_id": "usdt", "network_id": null, "amount": "12.5", "title": "Donate", "description": "As much\nas you like",
        "checkout_url": "https://shop.example/thanks", "enabled": true, "max_uses": 3, "expires_in_seconds": 1200,
    });
    let created = merchant.post("/invoice-forms", "key", &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(created.body[field], *value, "{field}");
    }
    assert_eq!((&created.body["uses"], &created.body["version"]), (&json!(0), &json!(1)));
    assert_eq!(created.headers["location"], path_of(&created));
    assert!(created.headers.contains_key("etag"));

    let again = merchant.post("/invoice-forms", "key", &body).await;
    assert_eq!((again.status, again.body), (StatusCode::CREATED, created.body.clone()), "one key is one form");
    let other = merchant.post("/invoice-forms", "key", &Merchant::blank_form(&json!({}))).await;
    assert_eq!(other.text("code"), "idempotency_key_reused", "{other:#?}");
    let read = merchant.get(&path_of(&created)).await;
    assert_eq!((read.status, read.body), (StatusCode::OK, created.body.clone()));
    let same = merchant.request(Method::GET, &path_of(&created)).header("If-None-Match", &read.headers["etag"]);
    assert_eq!(Answer::to(same).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_list_of_forms_is_paged_and_complete() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut created = Vec::new();
    for _ in 0..3 {
        created.insert(0, merchant.form(&fixed()).await.body);
    }
    let first = merchant.get("/invoice-forms?limit=2").await;
    let cursor = first.text("next_cursor");
    let second = merchant.get(&format!("/invoice-forms?limit=2&cursor={cursor}")).await;
    let listed: Vec<_> =
        [&first, &second].into_iter().flat_map(|page| page.body["items"].as_array().unwrap()).collect();
    assert_eq!(listed, created.iter().collect::<Vec<_>>(), "newest first, each once");
    assert_eq!(second.body["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_change_is_of_what_is_sent_and_null_makes_a_blank() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let buyer = Buyer::at(&app, &form);
    let opened = patch(&merchant, &form, &json!({ "amount": null, "title": "Donate" })).await;
    assert_eq!(opened.status, StatusCode::OK, "{opened:#?}");
    for (field, value) in [("amount", json!(null)), ("title", json!("Donate")), ("coin_id", json!("usdt"))] {
        assert_eq!(opened.body[field], value, "{field}");
    }
    assert_ne!(opened.headers["etag"], form.headers["etag"]);
    let seen = buyer.look().await;
    assert_eq!(seen.body["fields"]["amount"], json!({ "value": null, "open": true }));
    assert_eq!(seen.body["fields"]["coin_id"], json!({ "value": "usdt", "open": false }));
    assert_eq!(seen.body["title"], "Donate");

    let same = patch(&merchant, &form, &json!({ "title": "Donate" })).await;
    assert_eq!(same.body["version"], opened.body["version"], "nothing has changed");
    let nothing = patch(&merchant, &form, &json!({})).await;
    assert_eq!(nothing.body, same.body);
}

#[tokio::test]
async fn a_form_that_could_never_be_paid_is_refused() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let bad = [
        ("coin_id", json!("doge")),
        ("network_id", json!("solana")),
        ("coin_id", json!("btc")),
        ("amount", json!("0")),
        ("amount", json!("1e3")),
        ("amount", json!(" 1")),
        ("amount", json!("0.0000001")),
        ("title", json!("a\u{0}")),
        ("checkout_url", json!("javascript:alert(1)")),
        ("max_uses", json!(0)),
        ("max_uses", json!(1_000_000_001)),
        ("expires_in_seconds", json!(0)),
    ];
    for (field, value) in bad {
        let mut body = fixed();
        body[field] = value.clone();
        let created = merchant.post("/invoice-forms", "key", &Merchant::blank_form(&body)).await;
        let changed = patch(&merchant, &form, &json!({ field: value })).await;
        for refused in [created, changed] {
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}: {refused:#?}");
            assert!(names(&refused, field), "{field} {value}: {refused:#?}");
        }
    }
    let mut unknown = Merchant::blank_form(&fixed());
    unknown["merchant_id"] = json!(merchant.id());
    let refused = merchant.post("/invoice-forms", "key", &unknown).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::BAD_REQUEST, "invalid_body"));
    assert_eq!(merchant.get(&path_of(&form)).await.body, form.body, "no change was taken");
    let created = merchant.post("/invoice-forms", "key", &Merchant::blank_form(&fixed())).await;
    assert_eq!(created.status, StatusCode::CREATED, "the key is free: {created:#?}");
}

/// The pair of coin and network is wrong in either of its fields.
fn names(refused: &Answer, field: &str) -> bool {
    let pair = ["coin_id", "network_id"];
    let is_of_the_pair = |named: &Value| pair.contains(&field) && pair.iter().any(|one| *named == **one);
    let is_meant = |named: &Value| *named == field || is_of_the_pair(named);
    refused.body["errors"].as_array().unwrap().iter().any(|error| is_meant(&error["field"]))
}

/// On tron nothing costs less than a million from now on.
#[tokio::test]
async fn a_form_that_fits_the_catalogue_no_longer_can_be_asked_for_again_and_be_switched_off() {
    let app = TestApp::isolated(Settings::isolated().env(Part::Api, "PERDURA_CATALOGUE_KEPT", "0s")).await;
    let merchant = app.merchant();
    let body = Merchant::blank_form(&fixed());
    let created = merchant.post("/invoice-forms", "key", &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
    let dear = query("update payment_option set minimum = 1000000000000 where network_id = 'tron'");
    dear.execute(&app.database().await).await.unwrap();

    let refused = merchant.post("/invoice-forms", "another key", &body).await;
    assert_eq!(refused.text("code"), "unacceptable", "{refused:#?}");
    let limited = patch(&merchant, &created, &json!({ "enabled": false, "max_uses": 1, "amount": "5.00" })).await;
    assert_eq!((limited.status, &limited.body["enabled"]), (StatusCode::OK, &json!(false)), "{limited:#?}");
    let refused = patch(&merchant, &created, &json!({ "amount": "6" })).await;
    assert_eq!(refused.text("code"), "unacceptable", "{refused:#?}");

    assert_is_answered_again(&merchant, &created, &body).await;
    let deleted = Answer::to(merchant.request(Method::DELETE, &path_of(&created))).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:#?}");
    assert_is_answered_again(&merchant, &created, &body).await;
}

/// The form that was created under "key" is answered to a repeat, as it was when it began, and to nothing else.
async fn assert_is_answered_again(merchant: &Merchant, created: &Answer, body: &Value) {
    let again = merchant.post("/invoice-forms", "key", body).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &created.body));
    let mut other = body.clone();
    other["title"] = json!("Other");
    let reused = merchant.post("/invoice-forms", "key", &other).await;
    assert_eq!(reused.text("code"), "idempotency_key_reused", "{reused:#?}");
}

#[tokio::test]
async fn a_deleted_form_stays_deleted() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let delete = || Answer::to(merchant.request(Method::DELETE, &path_of(&form)));
    assert_eq!(delete().await.status, StatusCode::NO_CONTENT);
    let again = [delete().await, merchant.get(&path_of(&form)).await, patch(&merchant, &form, &json!({})).await];
    for refused in again {
        assert_eq!((refused.status, refused.text("code")), (StatusCode::NOT_FOUND, "not_found"), "{refused:#?}");
    }
    assert_eq!(merchant.get("/invoice-forms").await.body["items"], json!([]));
}
