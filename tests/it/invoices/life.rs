//! An invoice from its creation to each of its ends.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::query_scalar;
use stack::Settings;
use system_tests::{Merchant, TestApp, eventually};

#[tokio::test]
async fn a_new_invoice_awaits_its_deposit() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let body = json!({
        "coin_id": "usdt", "network_id": "tron", "amount": "12.50", "title": "Two coffees", "description": "to go",
        "checkout_url": "https://shop.example/done", "expires_in_seconds": 900, "external_id": "order-1",
    });
    let created = merchant.create(&body).await;

    assert_eq!(created.text("status"), "waiting_for_deposit");
    assert_eq!(created.text("exception"), "none");
    assert_eq!(created.text("amount"), "12.5");
    assert_eq!(created.text("external_id"), "order-1");
    let nothing_yet =
        json!({ "due": "12.5", "seen": "0", "confirmed": "0", "overpaid": "0", "remaining": "12.5", "late": "0" });
    assert_eq!(created.body["amounts"], nothing_yet);
    let address = created.text("deposit_address");
    assert!(address.starts_with('T') && address.len() == 34, "{address}");
    assert_eq!(created.headers["location"], format!("/invoices/{}", created.invoice_id()));

    let read = merchant.read(created.invoice_id()).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.body, created.body);
    let listed = merchant.get("/invoices").await;
    assert_eq!(listed.body["items"], json!([created.body]));
}

#[tokio::test]
async fn paid_in_one_deposit_it_becomes_finished_and_is_credited_once() {
    let app = TestApp::shared();
    for (network, coin, amount, units) in [
        ("tron", "usdt", "12.5", "12500000"),
        ("bitcoin", "btc", "0.001", "100000"),
        ("ethereum", "eth", "0.000000000000000001", "1"),
        ("ethereum", "usdc", "7", "7000000"),
    ] {
        let merchant = app.merchant();
        let body = json!({ "coin_id": coin, "network_id": network, "amount": amount });
        let created = merchant.create(&body).await;
        let invoice_id = created.invoice_id();

        app.pay(network, coin, created.text("deposit_address"), amount).await;
        let seen = merchant.until(invoice_id, "payment_confirmation").await;
        assert_eq!(seen.body["amounts"]["seen"], amount);

        app.mine(network, 20).await;
        let finished = merchant.until(invoice_id, "finished").await;
        assert_eq!(finished.text("exception"), "none");
        assert_eq!(finished.body["amounts"]["confirmed"], amount);
        assert_eq!(finished.body["amounts"]["remaining"], "0");

        let database = app.database().await;
        let credits: Vec<String> = query_scalar("select amount::text from merchant_credit where merchant_id = $1")
            .bind(merchant.id())
            .fetch_all(&database)
            .await
            .unwrap();
        assert_eq!(credits, [units], "{coin} on {network}");
    }
}

#[tokio::test]
async fn without_money_it_expires_by_itself() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let mut body = Merchant::invoice();
    body["expires_in_seconds"] = json!(1);
    let invoice_id = merchant.create(&body).await.invoice_id();

    let expired = merchant.until(invoice_id, "expired").await;
    assert_eq!(expired.text("exception"), "none");
    assert!(expired.text("updated_at") >= expired.text("expires_at"), "{expired:#?}");
}

#[tokio::test]
async fn every_change_is_an_event_and_the_last_one_is_the_invoice() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
    merchant.until(created.invoice_id(), "payment_confirmation").await;
    app.mine("tron", 20).await;
    let finished = merchant.until(created.invoice_id(), "finished").await;

    let events: Vec<(i64, Option<String>, String)> = sqlx::query_as(
        "select sequence, from_status::text, to_status::text from invoice_event where invoice_id = $1 order by sequence",
    )
    .bind(created.invoice_id())
    .fetch_all(&app.database().await)
    .await
    .unwrap();
    let statuses: Vec<_> = events.iter().map(|(_, _, to)| to.as_str()).collect();
    assert_eq!(statuses, ["waiting_for_deposit", "payment_confirmation", "payment_accepted", "finished"]);
    for (index, pair) in events.windows(2).enumerate() {
        assert_eq!(pair[1].1.as_ref(), Some(&pair[0].2), "event {} begins where the one before ended", index + 2);
    }
    assert_eq!(finished.body["version"], json!(events.len()));
}

#[tokio::test]
async fn an_invoice_with_a_long_history_goes_on_in_a_new_run() {
    let settings = Settings::isolated().temporal("limit.historyCount.suggestContinueAsNew", "40");
    let app = TestApp::isolated(settings).await;
    let merchant = app.merchant();
    let created = merchant.post("/invoices", "key", &Merchant::invoice()).await;
    let first = app.history(created.invoice_id()).await;
    for cents in 1..=6 {
        app.pay("tron", "usdt", created.text("deposit_address"), "0.01").await;
        let seen = json!(format!("0.0{cents}"));
        let read = || merchant.read(created.invoice_id());
        eventually("the deposit to be counted", read, |answer| answer.body["amounts"]["seen"] == seen).await;
    }
    let history = || app.history(created.invoice_id());
    eventually("a new run", history, |history| history.run_id() != first.run_id()).await;

    assert_eq!(merchant.post("/invoices", "key", &Merchant::invoice()).await.body, created.body);
    app.pay("tron", "usdt", created.text("deposit_address"), "12.44").await;
    app.mine("tron", 20).await;
    let finished = merchant.until(created.invoice_id(), "finished").await;
    assert_eq!(finished.text("exception"), "none");
}
