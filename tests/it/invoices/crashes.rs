//! Parts killed with -9 in the middle of an invoice's life.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::query_scalar;
use stack::{Part, Settings};
use system_tests::{Merchant, TestApp, eventually};

#[tokio::test]
async fn a_worker_killed_between_creation_and_payment_loses_nothing() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    app.stack().kill(Part::Worker).unwrap();
    app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
    app.mine("tron", 20).await;

    let refused = merchant.ask("while no worker lives").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:#?}");
    app.stack().launch(Part::Worker).await.unwrap();
    merchant.until(created.invoice_id(), "finished").await;
    let goes_on = eventually(
        "the second invoice",
        || merchant.ask("while no worker lives"),
        |answer| answer.status == StatusCode::CREATED,
    )
    .await;
    assert_ne!(goes_on.invoice_id(), created.invoice_id());

    let database = app.database().await;
    let credits: i64 = query_scalar("select count(*) from merchant_credit").fetch_one(&database).await.unwrap();
    assert_eq!(credits, 1);
    let invoices: i64 = query_scalar("select count(*) from invoice").fetch_one(&database).await.unwrap();
    assert_eq!(invoices, 2);
}

#[tokio::test]
async fn each_part_may_die_once_during_one_invoice() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    for part in [Part::Postgres, Part::Temporal, Part::Api, Part::Worker, Part::Sandbox] {
        let key = format!("with {part} killed");
        let create = || merchant.ask(&key);
        let created = eventually("an invoice", create, |answer| answer.status == StatusCode::CREATED).await;
        app.stack().kill(part).unwrap();
        app.stack().launch(part).await.unwrap();
        let again = eventually("the same answer", create, |answer| answer.status == StatusCode::CREATED).await;
        assert_eq!(again.body, created.body, "{part}");
        let body = json!({ "address": created.text("deposit_address"), "coin_id": "usdt", "amount": "12.5" });
        app.control("/chains/tron/deposits", body).await;
        app.mine("tron", 20).await;
        merchant.until(created.invoice_id(), "finished").await;
    }
}

#[tokio::test]
async fn told_to_stop_the_worker_and_the_api_end_well() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    merchant.create(&Merchant::invoice()).await;
    for part in [Part::Worker, Part::Api] {
        let status = app.stack().terminate(part).await.unwrap();
        assert!(status.success(), "{part}: {status}");
    }
}
