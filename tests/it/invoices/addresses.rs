//! The pool: never two active invoices on one address.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Merchant, TestApp};

#[tokio::test]
async fn fifty_creations_at_once_on_a_pool_of_ten() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    app.fill_pool(&merchant, 10).await;
    let created = join_all((0..50).map(|index| {
        let merchant = merchant.clone();
        async move { create_patiently(&merchant, &format!("creation {index}")).await }
    }))
    .await;

    let addresses: BTreeSet<_> = created.iter().cloned().collect();
    assert_eq!(addresses.len(), 50, "each invoice has an address of its own");
    assert_eq!(addresses.iter().filter(|address| address.starts_with("TPool")).count(), 10, "the pool was used up");
    assert_eq!(app.outside_effects("address_made", &merchant.id().to_string()).await.len(), 40);
}

/// 50 at once on two cores may take longer than one answer may: the same key goes on.
async fn create_patiently(merchant: &Merchant, key: &str) -> String {
    let answer = system_tests::eventually(
        "an invoice to be created",
        || merchant.ask(key),
        |answer| answer.status != StatusCode::SERVICE_UNAVAILABLE,
    )
    .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:#?}");
    answer.text("deposit_address").to_owned()
}

#[tokio::test]
async fn an_address_of_another_merchant_is_never_given_out() {
    let app = TestApp::shared();
    let (one, other) = (app.merchant(), app.merchant());
    app.fill_pool(&one, 1).await;
    let created = other.create(&Merchant::invoice()).await;
    assert!(!created.text("deposit_address").starts_with("TPool"));
}

#[tokio::test]
async fn an_address_rests_before_it_serves_again() {
    let settings = stack::Settings::isolated().env(stack::Part::Api, "PERDURA_INVOICE_MONITORING", "1s").env(
        stack::Part::Api,
        "PERDURA_INVOICE_COOL_DOWN",
        "1s",
    );
    let app = TestApp::isolated(settings).await;
    let merchant = app.merchant();
    let mut body = Merchant::invoice();
    body["expires_in_seconds"] = json!(1);
    let first = merchant.create(&body).await;
    let while_it_lives = merchant.create(&Merchant::invoice()).await;
    assert_ne!(first.text("deposit_address"), while_it_lives.text("deposit_address"));

    let database = app.database().await;
    let free = || async {
        let free = sqlx::query_scalar("select available_at <= now() from deposit_address where address = $1");
        free.bind(first.text("deposit_address")).fetch_one(&database).await.unwrap()
    };
    system_tests::eventually("the address to be free again", free, |free: &bool| *free).await;
    let released: (bool, bool) = sqlx::query_as(
        "select released_at >= i.ended_at + interval '1s', cooldown_until = released_at + interval '1s'
         from address_assignment join invoice i using (invoice_id) where invoice_id = $1",
    )
    .bind(first.invoice_id())
    .fetch_one(&database)
    .await
    .unwrap();
    assert_eq!(released, (true, true), "monitored for its time, then cooled down for its time");
    let next = merchant.create(&Merchant::invoice()).await;
    assert_eq!(first.text("deposit_address"), next.text("deposit_address"));
}
