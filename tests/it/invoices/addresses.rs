//! The pool: never two active invoices on one address.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Answer, Kept, Merchant, TestApp};
use uuid::Uuid;

use super::money::cancelling;

#[tokio::test]
async fn case_01_creations_at_once_use_up_the_pool_and_share_no_address() {
    let app = TestApp::shared();
    for (creations, free) in [(2, 1), (50, 10)] {
        let merchant = app.merchant();
        app.fill_pool(&merchant, free).await;
        let created = create_at_once(&merchant, creations).await;
        assert_share_no_address(&app, &merchant, &created, free).await;
    }
}

/// Many at once on two cores may take longer than one answer may: the same keys go on.
pub(super) async fn create_at_once(merchant: &Merchant, creations: usize) -> Vec<Answer> {
    let keys: Vec<_> = (0..creations).map(|index| format!("creation {index}")).collect();
    join_all(keys.iter().map(|key| merchant.insist(key))).await
}

/// Each invoice has an address of its own, those that were free first.
pub(super) async fn assert_share_no_address(app: &TestApp, merchant: &Merchant, created: &[Answer], free: usize) {
    assert!(created.iter().all(|answer| answer.status == StatusCode::CREATED), "{created:#?}");
    let addresses: BTreeSet<_> = created.iter().map(|answer| answer.text("deposit_address")).collect();
    assert_eq!(addresses.len(), created.len(), "each invoice has an address of its own");
    assert_eq!(addresses.iter().filter(|address| address.starts_with("TPool")).count(), free, "the pool was used up");
    let made = app.outside_effects("address_made", &merchant.id().to_string()).await;
    assert_eq!(made.len(), created.len() - free, "no more were made than were needed");
    let taken: (i64, i64) = sqlx::query_as(
        "select count(*), count(distinct address_id) from address_assignment join invoice using (invoice_id)
         where merchant_id = $1 and released_at is null",
    )
    .bind(merchant.id())
    .fetch_one(&app.database().await)
    .await
    .unwrap();
    let all = i64::try_from(created.len()).unwrap();
    assert_eq!(taken, (all, all));
}

#[tokio::test]
async fn case_05_an_address_that_is_another_merchants_is_refused_and_the_next_one_asked_for() {
    let app = TestApp::shared();
    let (owner, other) = (app.merchant(), app.merchant());
    let first = owner.create(&Merchant::invoice()).await;
    let taken = first.text("deposit_address");
    let plan = json!({ "user_id": other.id(), "network_id": "tron", "address": taken });
    app.control("/addresses/next", plan).await;

    let created = other.insist("key").await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
    let made = app.outside_effects("address_made", &other.id().to_string()).await;
    let addresses: Vec<_> = made.iter().map(|made| made["detail"]["address"].as_str().unwrap()).collect();
    assert_eq!(addresses, [taken, created.text("deposit_address")]);
    assert_ne!(
        made[0]["detail"]["idempotency_key"], made[1]["detail"]["idempotency_key"],
        "the old key gets the old one"
    );
    let owners: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select user_id, merchant_id from deposit_address
         join address_assignment using (address_id) join invoice using (invoice_id) where address = $1",
    )
    .bind(taken)
    .fetch_all(&app.database().await)
    .await
    .unwrap();
    assert_eq!(owners, [(owner.id(), owner.id())], "it is the owner's as before");
    let alert = format!("invoice.address_is_anothers invoice_id={}", created.invoice_id());
    assert!(Kept::holds(&app.kept_logs(), &alert), "operators are told");
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
    let first = merchant.create(&Merchant::invoice()).await;
    let while_it_lives = merchant.create(&Merchant::invoice()).await;
    assert_ne!(first.text("deposit_address"), while_it_lives.text("deposit_address"));
    let cancelled = Answer::patiently(|| cancelling(&merchant, first.invoice_id(), "cancel")).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{cancelled:#?}");

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
