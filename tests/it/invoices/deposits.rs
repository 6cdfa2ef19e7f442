//! Money as it comes: often reported, too little, too much, too late, of another kind.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::query_scalar;
use system_tests::{Answer, Merchant, TestApp, eventually};

/// The watcher reports a transaction again and again, and the API has one of these words for each.
async fn repeat(app: &TestApp, paid: &Value, words: &[&str]) {
    let repeated = app.control("/watcher/repeat", json!({ "tx_id": paid["tx_id"], "times": 3 })).await;
    for answer in repeated["answers"].as_array().unwrap() {
        assert_eq!(answer["status"], 200, "{repeated:#}");
        let word = answer["body"]["results"][0]["result"].as_str().unwrap();
        assert!(words.contains(&word), "{repeated:#}");
    }
}

#[tokio::test]
async fn case_17_a_half_that_is_reported_again_seen_and_confirmed_is_still_half() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    let paid = app.pay("tron", "usdt", created.text("deposit_address"), "6.25").await;
    merchant.until_exception(created.invoice_id(), "paid_partial").await;
    // Others mine on this chain, too: there may be news of it.
    repeat(&app, &paid, &["accepted", "duplicate", "stale"]).await;
    app.mine("tron", 20).await;
    let partial = merchant.until(created.invoice_id(), "partially_paid").await;
    assert_eq!(partial.body["amounts"]["confirmed"], "6.25");
    assert_eq!(partial.body["amounts"]["remaining"], "6.25");
    repeat(&app, &paid, &["duplicate"]).await;
    assert_eq!(merchant.read(created.invoice_id()).await.body, partial.body);

    let rows: i64 = query_scalar("select count(*) from invoice_transaction where invoice_id = $1")
        .bind(created.invoice_id())
        .fetch_one(&app.database().await)
        .await
        .unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn two_deposits_pay_together_and_too_much_is_told() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    let address = created.text("deposit_address");
    app.pay("tron", "usdt", address, "7").await;
    merchant.until_exception(created.invoice_id(), "paid_partial").await;
    app.pay("tron", "usdt", address, "7").await;
    merchant.until(created.invoice_id(), "payment_confirmation").await;
    app.mine("tron", 20).await;

    let finished = merchant.until(created.invoice_id(), "finished").await;
    assert_eq!(finished.text("exception"), "paid_over");
    assert_eq!(finished.body["amounts"]["overpaid"], "1.5");
    let credited: i64 = query_scalar("select count(*) from merchant_credit where invoice_id = $1")
        .bind(created.invoice_id())
        .fetch_one(&app.database().await)
        .await
        .unwrap();
    assert_eq!(credited, 2, "one credit for each output");
}

#[tokio::test]
async fn case_25_a_token_with_the_right_name_and_the_wrong_contract_pays_nothing() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    let body = json!({
        "address": created.text("deposit_address"), "coin_id": "usdt", "amount": "12.5",
        "contract": "TFakeFakeFakeFakeFakeFakeFakeFakeF",
    });
    app.control("/chains/tron/deposits", body).await;
    let told = merchant.until_exception(created.invoice_id(), "wrong_asset").await;
    assert_eq!(told.text("status"), "waiting_for_deposit");
    assert_eq!(told.body["amounts"]["seen"], "0");
}

#[tokio::test]
async fn the_last_look_finds_money_that_no_watcher_reported() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut body = Merchant::invoice();
    // It has to be paid before the last look.
    body["expires_in_seconds"] = json!(15);
    let created = merchant.create(&body).await;
    let address = created.text("deposit_address");
    app.control("/watcher/pause", json!({ "paused": true, "match": address })).await;
    app.pay("tron", "usdt", address, "12.5").await;
    // The chain is shared: blocks of other tests may confirm it at once.
    let read = || merchant.read(created.invoice_id());
    eventually("the money to be found", read, |found| found.body["amounts"]["seen"] == "12.5").await;
    app.control("/watcher/pause", json!({ "paused": false, "match": address })).await;
}

#[tokio::test]
async fn money_for_nobody_is_kept() {
    let app = TestApp::shared();
    let paid = app.pay("tron", "usdt", "TNobodyKnowsThisAddress00000000001", "3").await;
    let database = app.database().await;
    let kept = || async {
        query_scalar::<_, i64>("select count(*) from invoice_transaction where tx_id = $1 and invoice_id is null")
            .bind(paid["tx_id"].as_str())
            .fetch_one(&database)
            .await
            .unwrap()
    };
    eventually("the deposit to be kept", kept, |rows| *rows == 1).await;
}

#[tokio::test]
async fn only_signed_observations_of_a_watcher_are_heard() {
    let app = TestApp::shared();
    let keys = &app.stack().demo().keys;
    let body = json!({ "observations": [] });
    let unsigned = app.http().post(app.api("/deposits")).bearer_auth(&keys.watcher).json(&body);
    let refused = Answer::to(unsigned).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.body["code"], "signature_invalid");
    let foreign = app.http().post(app.api("/deposits")).bearer_auth(&keys.merchant).json(&body);
    assert_eq!(Answer::to(foreign).await.status, StatusCode::FORBIDDEN);
}
