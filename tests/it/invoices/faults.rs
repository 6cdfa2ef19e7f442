//! The address service down, slow, answering garbage, and executing without an answer.

use futures::future::{join_all, join3};
use reqwest::StatusCode;
use serde_json::json;
use stack::{Part, Settings};
use system_tests::{Merchant, TestApp, eventually};

use super::addresses::assert_share_no_address;

/// As many as `until_struck` counts down from.
const MANY: u32 = 1_000_000;

async fn fault(app: &TestApp, merchant: &Merchant, kind: &str, times: Option<u32>) {
    let mut body = json!({ "system": "addresses", "operation": "create", "kind": kind, "match": merchant.id() });
    if let Some(times) = times {
        body["times"] = json!(times);
    }
    app.control("/faults", body).await;
}

async fn mend(app: &TestApp, merchant: &Merchant) {
    let url = format!("{}/_control/faults?match={}", app.stack().sandbox_url(), merchant.id());
    let answer = app.http().delete(url).send().await.unwrap();
    assert!(answer.status().is_success());
}

async fn create_in_the_end(merchant: &Merchant, key: &str) -> system_tests::Answer {
    eventually("the invoice to be created", || merchant.ask(key), |answer| answer.status == StatusCode::CREATED).await
}

/// Rows of a merchant: invoices, addresses, assignments.
async fn kept(app: &TestApp, merchant: &Merchant) -> (i64, i64, i64) {
    let counted = sqlx::query_as(
        "select (select count(*) from invoice where merchant_id = $1),
                (select count(*) from deposit_address where user_id = $1),
                (select count(*) from address_assignment join invoice using (invoice_id) where merchant_id = $1)",
    );
    counted.bind(merchant.id()).fetch_one(&app.database().await).await.unwrap()
}

#[tokio::test]
async fn case_02_while_it_is_down_only_the_free_address_is_given_out_and_the_same_keys_go_on_later() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    app.fill_pool(&merchant, 1).await;
    fault(&app, &merchant, "error", None).await;
    let keys: Vec<_> = (0..10).map(|index| format!("creation {index}")).collect();
    let first = join_all(keys.iter().map(|key| merchant.ask(key))).await;
    assert!(first.iter().filter(|answer| answer.status == StatusCode::CREATED).count() <= 1, "{first:#?}");
    for refused in first.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:#?}");
        assert!(refused.headers.contains_key("retry-after"));
    }
    // Whoever got the free address may have been answered too late to hear of it.
    eventually("the one invoice, and nothing of the others", || kept(&app, &merchant), |kept| *kept == (1, 1, 1)).await;

    mend(&app, &merchant).await;
    let later = join_all(keys.iter().map(|key| merchant.insist(key))).await;
    for ((key, first), later) in keys.iter().zip(&first).zip(&later) {
        assert_eq!(later.status, StatusCode::CREATED, "{later:#?}");
        assert_eq!(later.invoice_id(), merchant.invoice_id(key), "it is the invoice that was asked for first");
        assert!(first.status != StatusCode::CREATED || first.body == later.body, "{first:#?} {later:#?}");
    }
    assert_share_no_address(&app, &merchant, &later, 1).await;
    assert_eq!(kept(&app, &merchant).await, (10, 10, 10));
}

#[tokio::test]
async fn case_03_who_gave_up_waiting_for_a_slow_answer_gets_the_one_invoice_with_its_key() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let name = merchant.id().to_string();
    // Held until it is mended.
    let slow = json!({
        "system": "addresses", "operation": "create", "kind": "slow", "match": name, "times": MANY, "delay_ms": 30_000,
    });
    app.control("/faults", slow).await;
    tokio::select! {
        biased;
        answer = merchant.insist("key") => panic!("the address service was not slow: {answer:#?}"),
        () = app.until_struck(&name) => {}
    }
    let (created, again, ()) = join3(merchant.insist("key"), merchant.insist("key"), app.mend(&name)).await;

    assert_eq!(created.status, StatusCode::CREATED, "{created:#?}");
    assert_eq!((created.invoice_id(), &created.body), (merchant.invoice_id("key"), &again.body));
    assert_eq!(kept(&app, &merchant).await, (1, 1, 1));
    let made = app.outside_effects("address_made", &name).await;
    assert_eq!(made.len(), 1, "{made:#?}");
    assert_eq!(made[0]["detail"]["address"], created.text("deposit_address"));
}

#[tokio::test]
async fn whatever_it_answers_there_is_one_address_in_the_end() {
    let app = TestApp::shared();
    for kind in ["execute_then_timeout", "malformed", "slow", "error"] {
        let merchant = app.merchant();
        fault(&app, &merchant, kind, Some(1)).await;
        let created = create_in_the_end(&merchant, "key").await;
        let made = app.outside_effects("address_made", &merchant.id().to_string()).await;
        assert_eq!(made.len(), 1, "{kind}");
        assert_eq!(made[0]["detail"]["address"], created.text("deposit_address"), "{kind}");
    }
}

#[tokio::test]
async fn a_watcher_that_hears_no_answer_reports_again_and_nothing_counts_twice() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let created = merchant.create(&Merchant::invoice()).await;
    let address = created.text("deposit_address");
    let body = json!({
        "system": "watcher", "operation": "report", "kind": "execute_then_timeout", "times": 1, "match": address,
        "delay_ms": 100,
    });
    app.control("/faults", body).await;
    app.pay("tron", "usdt", address, "12.5").await;
    app.mine("tron", 20).await;
    let finished = merchant.until(created.invoice_id(), "finished").await;
    assert_eq!(finished.body["amounts"]["confirmed"], "12.5");
}

#[tokio::test]
async fn a_creation_that_was_given_up_goes_on_under_the_same_key() {
    let settings = Settings::isolated().env(Part::Api, "PERDURA_INVOICE_CREATION", "1s");
    let app = TestApp::isolated(settings).await;
    let merchant = app.merchant();
    fault(&app, &merchant, "error", None).await;
    let refused = merchant.ask("key").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:#?}");
    mend(&app, &merchant).await;
    let created = create_in_the_end(&merchant, "key").await;
    assert_eq!(merchant.insist("key").await.body, created.body);
}
