//! An API whose clock is wrong: an invoice begins, ends and counts its money by other clocks.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::query_scalar;
use stack::{Part, Settings};
use system_tests::{Answer, Buyer, Merchant, TestApp, with_wrong_clock};

const TEN_MINUTES: i64 = 600;

#[tokio::test]
async fn case_33_an_invoice_begins_and_ends_by_temporals_clock_whatever_the_apis_says() {
    let wrong = [TEN_MINUTES, -TEN_MINUTES].map(|by| with_wrong_clock(Settings::isolated(), Part::Api, by));
    let apps = join_all(wrong.map(TestApp::isolated)).await;
    join_all(apps.iter().map(goes_by_other_clocks)).await;
}

async fn goes_by_other_clocks(app: &TestApp) {
    let merchant = app.merchant();
    tokio::join!(ends_in_its_time(app, &merchant), is_paid_in_its_time(app, &merchant), of_a_form(app, &merchant));
}

fn time(answer: &Answer, field: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(answer.text(field)).unwrap().to_utc()
}

fn lasting(seconds: i64) -> Value {
    json!({ "coin_id": "usdt", "network_id": "tron", "amount": "12.50", "expires_in_seconds": seconds })
}

/// An invoice that begins now and has so many seconds.
async fn begin(merchant: &Merchant, seconds: i64) -> Answer {
    let before = Utc::now().trunc_subsecs(3);
    let created = merchant.create(&lasting(seconds)).await;
    let created_at = time(&created, "created_at");
    assert!((before..=Utc::now()).contains(&created_at), "{created:#?}");
    assert_eq!(time(&created, "expires_at") - created_at, TimeDelta::seconds(seconds));
    created
}

async fn ends_in_its_time(app: &TestApp, merchant: &Merchant) {
    let created = begin(merchant, 1).await;
    merchant.until(created.invoice_id(), "expired").await;
    let ended_at: DateTime<Utc> =
        query_scalar("select at from invoice_event where invoice_id = $1 and to_status = 'expired'")
            .bind(created.invoice_id())
            .fetch_one(&app.database().await)
            .await
            .unwrap();
    assert!((time(&created, "expires_at")..=Utc::now()).contains(&ended_at), "it ended at {ended_at}: {created:#?}");
}

/// Such an API may refuse what watchers sign, for their signatures have a time. The money is found nevertheless.
async fn is_paid_in_its_time(app: &TestApp, merchant: &Merchant) {
    // It has to be paid before the last look.
    let created = begin(merchant, 15).await;
    app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
    let paid = merchant.until(created.invoice_id(), "payment_confirmation").await;
    assert_eq!(paid.text("exception"), "none", "{paid:#?}");
    assert_eq!(paid.body["amounts"]["seen"], "12.5");
}

async fn of_a_form(app: &TestApp, merchant: &Merchant) {
    let mut fixed = lasting(600);
    fixed["max_uses"] = json!(1);
    let buyer = Buyer::at(app, &merchant.form(&fixed).await);
    let before = Utc::now().trunc_subsecs(3);
    let bought = buyer.buy(&json!({})).await;
    let invoice = merchant.read(bought.invoice_id()).await;
    assert!((before..=Utc::now()).contains(&time(&invoice, "created_at")), "{invoice:#?}");
    assert_eq!(time(&invoice, "expires_at") - time(&invoice, "created_at"), TimeDelta::seconds(600));
    assert_eq!(buyer.submit(&json!({})).await.status, 409, "the form is used up");
}
