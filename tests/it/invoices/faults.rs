//! The address service down, slow, answering garbage, and executing without an answer.

use reqwest::StatusCode;
use serde_json::json;
use stack::{Part, Settings};
use system_tests::{Merchant, TestApp, eventually};

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

#[tokio::test]
async fn down_is_503_and_the_same_key_goes_on() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    fault(&app, &merchant, "error", None).await;
    let refused = merchant.post("/invoices", "key", &Merchant::invoice()).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:#?}");
    assert!(refused.headers.contains_key("retry-after"));

    mend(&app, &merchant).await;
    let created = create_in_the_end(&merchant, "key").await;
    let made = app.outside_effects("address_made", &merchant.id().to_string()).await;
    assert_eq!(made.len(), 1);
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
    assert_eq!(merchant.ask("key").await.body, created.body);
}
