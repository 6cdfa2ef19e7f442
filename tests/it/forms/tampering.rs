//! What buyers send who do not use the page.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use system_tests::{Answer, Buyer, Merchant, TestApp};

use super::{invoices_of, uses_of};

const FIELDS: [&str; 3] = ["coin_id", "network_id", "amount"];

/// Another value, an empty one, one of another type, and what would be fatal if it were believed.
fn anything() -> Vec<Value> {
    vec![
        json!("btc"),
        json!("0.01"),
        json!("-1"),
        json!(""),
        json!(null),
        json!(0),
        json!(true),
        json!(["usdt"]),
        json!({ "usdt": 1 }),
    ]
}

fn coffee() -> Value {
    json!({
        "coin_id": "usdt", "network_id": "tron", "amount": "5", "title": "A coffee", "expires_in_seconds": 600,
        "checkout_url": "https://shop.example/thanks",
    })
}

#[tokio::test]
async fn case_29_what_the_merchant_fixed_wins_whatever_is_sent() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&coffee()).await;
    let buyer = Buyer::at(&app, &form);
    app.fill_pool(&merchant, anything().len() + 1).await;

    assert_is_the_merchants(&merchant, &form, &buyer.buy(&json!({})).await).await;
    for value in anything() {
        let tampered = json!({ "coin_id": value, "network_id": value, "amount": value });
        assert_is_the_merchants(&merchant, &form, &buyer.buy(&tampered).await).await;
    }
}

#[tokio::test]
async fn case_29_what_the_form_does_not_ask_for_is_ignored() {
    let app = TestApp::shared();
    let (merchant, other) = (app.merchant(), app.merchant());
    let form = merchant.form(&coffee()).await;
    let more = json!({
        "merchant_id": other.id(), "form_id": other.id(), "invoice_id": other.id(), "external_id": "order-1",
        "title": "Nothing", "checkout_url": "https://evil.example/", "expires_in_seconds": 1, "status": "finished",
        "deposit_address": "TEvil", "sources": {}, "max_uses": 9, "": null,
    });
    let bought = Buyer::at(&app, &form).buy(&more).await;
    assert_is_the_merchants(&merchant, &form, &bought).await;
    assert_eq!(other.get("/invoices").await.body["items"], json!([]));
}

/// The invoice is what the form says, and its merchant's.
async fn assert_is_the_merchants(merchant: &Merchant, form: &Answer, bought: &Answer) {
    assert_eq!(bought.body["sources"], json!({ "coin_id": "form", "network_id": "form", "amount": "form" }));
    let invoice = merchant.read(bought.invoice_id()).await;
    for (field, value) in [
        ("coin_id", json!("usdt")),
        ("network_id", json!("tron")),
        ("amount", json!("5")),
        ("title", json!("A coffee")),
        ("checkout_url", json!("https://shop.example/thanks")),
        ("external_id", Value::Null),
        ("form_id", form.body["form_id"].clone()),
        ("status", json!("waiting_for_deposit")),
    ] {
        assert_eq!(invoice.body[field], value, "{field}: {invoice:#?}");
    }
    let time = |field: &str| DateTime::parse_from_rfc3339(invoice.text(field)).unwrap();
    assert_eq!(time("expires_at") - time("created_at"), TimeDelta::seconds(600));
}

#[tokio::test]
async fn case_29_a_buyer_fills_the_blanks_and_only_them() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let donation = Buyer::at(&app, &merchant.form(&json!({ "coin_id": "usdt", "network_id": "tron" })).await);
    let bought = donation.buy(&json!({ "coin_id": "btc", "network_id": "bitcoin", "amount": "7.25" })).await;
    assert_eq!(bought.body["sources"], json!({ "coin_id": "form", "network_id": "form", "amount": "buyer" }));
    let invoice = &bought.body["invoice"];
    assert_eq!((&invoice["coin_id"], &invoice["network_id"]), (&json!("usdt"), &json!("tron")));
    assert_eq!(invoice["amount"], "7.25");

    let open = Buyer::at(&app, &merchant.form(&json!({})).await);
    let bought = open.buy(&json!({ "coin_id": "btc", "network_id": "bitcoin", "amount": "0.001" })).await;
    assert_eq!(bought.body["sources"], json!({ "coin_id": "buyer", "network_id": "buyer", "amount": "buyer" }));
    let invoice = merchant.read(bought.invoice_id()).await;
    assert_eq!((invoice.text("coin_id"), invoice.text("amount")), ("btc", "0.001"));
    assert!(invoice.text("deposit_address").starts_with("bc1"), "{invoice:#?}");
}

#[tokio::test]
async fn case_29_a_blank_that_is_left_or_badly_filled_makes_no_invoice() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&json!({ "max_uses": 1 })).await;
    let buyer = Buyer::at(&app, &form);
    let good = json!({ "coin_id": "usdt", "network_id": "tron", "amount": "7" });
    for field in FIELDS {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(field);
        assert_refused(&buyer, &without, field, &[422]).await;
        for missing in [json!(null), json!("")] {
            assert_refused(&buyer, &with(&good, field, missing), field, &[422]).await;
        }
        for of_another_type in [json!(0), json!(7.5), json!(true), json!(["7"]), json!({ "7": 7 })] {
            assert_refused(&buyer, &with(&good, field, of_another_type), field, &[400, 422]).await;
        }
    }
    for (field, value) in [("coin_id", "doge"), ("coin_id", "btc"), ("coin_id", "USDT"), ("network_id", "solana")] {
        assert_refused(&buyer, &with(&good, field, json!(value)), field, &[422]).await;
    }
    assert_eq!((invoices_of(&app, &merchant).await, uses_of(&merchant, &form).await), (0, json!(0)));
    buyer.buy(&good).await;
}

#[tokio::test]
async fn case_37_amounts_of_buyers_that_are_none() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let buyer = Buyer::at(&app, &merchant.form(&json!({ "coin_id": "usdt", "network_id": "tron" })).await);
    let signs = ["1e3", "1E3", "-1", "+1", "0", "0.0", "1,5", " 1", "1 ", "1_000", "0x10", ".5", "1.", "NaN", "½"];
    let digits = ["１２", "١٢", "0.0000001", "12.1234567", &"9".repeat(90)];
    for amount in signs.into_iter().chain(digits) {
        assert_refused(&buyer, &json!({ "amount": amount }), "amount", &[422]).await;
    }
    assert_eq!(invoices_of(&app, &merchant).await, 0);
}

/// The same with one field set to something else.
fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

/// The form is not taken, and the field is named.
async fn assert_refused(buyer: &Buyer, body: &Value, field: &str, statuses: &[u16]) {
    let refused = buyer.submit(body).await;
    assert!(statuses.contains(&refused.status.as_u16()), "{body}: {refused:#?}");
    let errors = refused.body["errors"].as_array().unwrap();
    assert!(errors.iter().any(|error| error["field"] == field), "{body}: {field} is not named in {errors:?}");
}
