//! Parts killed with -9 in the middle of an invoice's life.

use futures::future::join;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::query_scalar;
use stack::{Part, Settings};
use system_tests::{Answer, Buyer, History, Merchant, TestApp, eventually};
use temporalio_common::protos::temporal::api::enums::v1::EventType;
use uuid::Uuid;

use super::events::Events;

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
    let created = merchant.create(&Merchant::invoice()).await;
    let path = format!("/invoices/{}/events", created.invoice_id());
    let mut stream = Events::open(merchant.request(Method::GET, &path)).await;
    stream.take_next(1).await;
    for part in [Part::Worker, Part::Api] {
        let status = app.stack().terminate(part).await.unwrap();
        assert!(status.success(), "{part}: {status}");
    }
    assert_eq!(stream.next().await, None, "whoever listens keeps nobody from ending");
}

#[tokio::test]
async fn case_06_a_worker_killed_between_an_address_and_its_row_asks_for_no_second_one() {
    // An attempt that died with its worker is soon given up.
    let app = TestApp::isolated(Settings::isolated().env(Part::Api, "PERDURA_INVOICE_ATTEMPT", "2s")).await;
    killed_before_it_heard_of_the_address(&app).await;
    killed_before_it_wrote_the_address_down(&app).await;
}

async fn killed_before_it_heard_of_the_address(app: &TestApp) {
    let merchant = app.merchant();
    let name = merchant.id().to_string();
    app.break_down(("addresses", "create"), "execute_then_timeout", &name).await;
    let killed = async {
        app.until_struck(&name).await;
        app.stack().kill(Part::Worker).unwrap();
        app.mend(&name).await;
        app.stack().launch(Part::Worker).await.unwrap();
    };
    let (created, ()) = join(merchant.insist("key"), killed).await;
    assert_one_address(app, &merchant, &created).await;
}

/// Temporal keeps the address, and whoever holds the table lets nobody write it down.
async fn killed_before_it_wrote_the_address_down(app: &TestApp) {
    let merchant = app.merchant();
    let name = merchant.id().to_string();
    let database = app.database().await;
    app.break_down(("addresses", "create"), "timeout", &name).await;
    let killed = async {
        app.until_struck(&name).await;
        let mut holding = database.begin().await.unwrap();
        sqlx::query("lock table deposit_address in exclusive mode").execute(&mut *holding).await.unwrap();
        app.mend(&name).await;
        let history = || app.history(merchant.invoice_id("key"));
        let is_told = |history: &History| history.count(EventType::ActivityTaskCompleted) > 0;
        eventually("the address", history, is_told).await;
        app.stack().kill(Part::Worker).unwrap();
        holding.rollback().await.unwrap();
        app.stack().launch(Part::Worker).await.unwrap();
    };
    let (created, ()) = join(merchant.insist("key"), killed).await;
    assert_one_address(app, &merchant, &created).await;
}

/// One was made, and it is the invoice's.
async fn assert_one_address(app: &TestApp, merchant: &Merchant, created: &Answer) {
    assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
    let made = app.outside_effects("address_made", &merchant.id().to_string()).await;
    assert_eq!(made.len(), 1, "{made:#?}");
    assert_eq!(made[0]["detail"]["address"], created.text("deposit_address"));
    let kept: Vec<String> = query_scalar("select address from deposit_address where user_id = $1")
        .bind(merchant.id())
        .fetch_all(&app.database().await)
        .await
        .unwrap();
    assert_eq!(kept, [created.text("deposit_address")]);
}

#[tokio::test]
async fn case_38_while_temporal_is_down_deposits_are_taken_and_creations_leave_nothing() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    let waiting = merchant.create(&Merchant::invoice()).await;
    let once = json!({ "coin_id": "usdt", "network_id": "tron", "amount": "5", "max_uses": 1 });
    let (buyer, click) = (Buyer::at(&app, &merchant.form(&once).await), Uuid::new_v4());
    app.stack().kill(Part::Temporal).unwrap();

    assert_taken(&app, waiting.text("deposit_address")).await;
    let refused = [merchant.ask("key").await, Answer::to(buyer.submitting(click, &json!({}))).await];
    for refused in refused {
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:#?}");
        assert!(refused.headers.contains_key("retry-after"));
    }
    let database = app.database().await;
    let invoices: Vec<Uuid> = query_scalar("select invoice_id from invoice").fetch_all(&database).await.unwrap();
    assert_eq!(invoices, [waiting.invoice_id()], "nothing is half done");

    app.stack().launch(Part::Temporal).await.unwrap();
    merchant.until(waiting.invoice_id(), "finished").await;
    let created = merchant.insist("key").await;
    assert_eq!((created.status, created.invoice_id()), (StatusCode::CREATED, merchant.invoice_id("key")));
    let bought = buyer.submit_as(click, &json!({})).await;
    assert_eq!(bought.status, StatusCode::CREATED, "{bought:#?}");
    assert_eq!(buyer.submit(&json!({})).await.status, StatusCode::CONFLICT, "the one use of the form was this one");
    let invoices: i64 = query_scalar("select count(*) from invoice").fetch_one(&database).await.unwrap();
    assert_eq!(invoices, 3);
}

/// A payment is kept, and its watcher is told so.
async fn assert_taken(app: &TestApp, address: &str) {
    let paid = app.pay("tron", "usdt", address, "12.5").await;
    app.mine("tron", 20).await;
    let database = app.database().await;
    let kept = || async {
        let state = query_scalar("select state from invoice_transaction where tx_id = $1").bind(paid["tx_id"].as_str());
        state.fetch_optional(&database).await.unwrap()
    };
    eventually("the deposit to be kept", kept, |state: &Option<String>| state.as_deref() == Some("final")).await;
    let repeated = app.control("/watcher/repeat", json!({ "tx_id": paid["tx_id"], "times": 3 })).await;
    for answer in repeated["answers"].as_array().unwrap() {
        assert_eq!(answer["status"], 200, "{repeated:#}");
        assert_eq!(answer["body"]["results"][0]["result"], "duplicate", "{repeated:#}");
    }
}
