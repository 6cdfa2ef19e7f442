//! What becomes of a form while somebody has it open.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Buyer, TestApp};

use super::{fixed, invoices_of, patch, path_of};

#[tokio::test]
async fn case_30_who_saw_an_older_form_is_shown_the_new_one() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let buyer = Buyer::at(&app, &form);
    let opened = buyer.look().await.body["version"].clone();
    let edited = patch(&merchant, &form, &json!({ "amount": "6" })).await;
    assert_eq!((edited.status, edited.text("amount")), (StatusCode::OK, "6"));

    let refused = buyer.submit(&json!({ "form_version": opened })).await;
    assert_eq!((refused.status, refused.text("code")), (StatusCode::CONFLICT, "form_changed"), "{refused:#?}");
    let shown = &refused.body["form"];
    assert_eq!(*shown, buyer.look().await.body);
    assert_eq!(shown["fields"]["amount"], json!({ "value": "6", "open": false }));
    assert_eq!(invoices_of(&app, &merchant).await, 0);

    for agreed in [json!({ "form_version": shown["version"] }), json!({})] {
        assert_eq!(buyer.buy(&agreed).await.body["invoice"]["amount"], "6");
    }
}

#[tokio::test]
async fn case_30_a_blank_that_was_filled_meanwhile_is_no_longer_the_buyers() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&json!({ "coin_id": "usdt", "network_id": "tron" })).await;
    let buyer = Buyer::at(&app, &form);
    let opened = buyer.look().await;
    assert_eq!(opened.body["fields"]["amount"]["open"], true, "{opened:#?}");
    patch(&merchant, &form, &json!({ "amount": "6" })).await;

    let filled = json!({ "amount": "1", "form_version": opened.body["version"] });
    assert_eq!(buyer.submit(&filled).await.text("code"), "form_changed");
    let bought = buyer.buy(&json!({ "amount": "1" })).await;
    assert_eq!((&bought.body["sources"]["amount"], &bought.body["invoice"]["amount"]), (&json!("form"), &json!("6")));
}

#[tokio::test]
async fn case_30_what_buyers_are_not_shown_can_change_under_them() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let buyer = Buyer::at(&app, &form);
    let opened = buyer.look().await.body["version"].clone();
    let edited = patch(&merchant, &form, &json!({ "max_uses": 100 })).await;
    assert_ne!(edited.body["version"], form.body["version"], "the merchant's version has changed: {edited:#?}");
    buyer.buy(&json!({ "form_version": opened })).await;
}

#[tokio::test]
async fn case_30_a_form_that_was_switched_off_or_deleted_is_not_there() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let buyer = Buyer::at(&app, &form);
    let opened = json!({ "form_version": buyer.look().await.body["version"] });
    let bought = buyer.buy(&opened).await;

    patch(&merchant, &form, &json!({ "enabled": false })).await;
    assert_is_not_there(&buyer, &opened).await;
    patch(&merchant, &form, &json!({ "enabled": true })).await;
    assert_eq!(buyer.look().await.status, StatusCode::OK);
    buyer.buy(&json!({})).await;

    let deleted = Answer::to(merchant.request(Method::DELETE, &path_of(&form))).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:#?}");
    assert_is_not_there(&buyer, &opened).await;
    assert_eq!(merchant.get(&path_of(&form)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(merchant.read(bought.invoice_id()).await.status, StatusCode::OK, "what came of it stays");
    let shown = buyer.checkout(bought.invoice_id(), bought.text("token")).await;
    assert_eq!(shown.status, StatusCode::OK, "and its buyer goes on: {shown:#?}");
    assert_eq!(invoices_of(&app, &merchant).await, 2);
}

async fn assert_is_not_there(buyer: &Buyer, body: &Value) {
    for refused in [buyer.look().await, buyer.submit(body).await, buyer.submit(&json!({})).await] {
        assert_eq!((refused.status, refused.text("code")), (StatusCode::NOT_FOUND, "not_found"), "{refused:#?}");
    }
}
