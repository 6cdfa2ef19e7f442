//! An address that serves one invoice after the other: whose money it is.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{query_as, query_scalar};
use system_tests::{Answer, Merchant, Output, TestApp, eventually};
use uuid::Uuid;

use super::{
    deadlines::BRIEF,
    money::{Money, expired, invoice, operator, standing, time, timeline, until_amount, until_closed},
};

/// The boundaries of assignments are as sharp as this.
const A_MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

/// When an invoice gave its address back, and when the address had cooled down.
async fn end_of_assignment(app: &TestApp, invoice_id: Uuid) -> (DateTime<Utc>, DateTime<Utc>) {
    query_as("select released_at, cooldown_until from address_assignment where invoice_id = $1")
        .bind(invoice_id)
        .fetch_one(&app.database().await)
        .await
        .unwrap()
}

/// An invoice over 12.5 that expired unpaid, and the next one on its address, over 20.
async fn one_after_the_other(app: &TestApp, merchant: &Merchant) -> (Answer, Answer) {
    let first = expired(merchant, "tron", "12.5").await;
    let database = app.database().await;
    let free = || async {
        let free = query_scalar("select available_at <= clock_timestamp() from deposit_address where address = $1");
        free.bind(first.text("deposit_address")).fetch_one(&database).await.unwrap()
    };
    eventually("the address to be free again", free, |free: &bool| *free).await;
    let next = merchant.create(&invoice("tron", "20", 900)).await;
    assert_eq!(next.text("deposit_address"), first.text("deposit_address"));
    (first, next)
}

/// What operators are told of money in one of their lists, if it is there.
async fn listed(app: &TestApp, result: &str, money: &Money) -> Option<Value> {
    let told = Answer::to(operator(app, Method::GET, &format!("/deposits?result={result}&limit=100"))).await;
    assert_eq!(told.status, StatusCode::OK, "{told:#?}");
    let items = told.body["items"].as_array().unwrap();
    items.iter().find(|item| item["tx_id"] == money.tx_id()).cloned()
}

#[tokio::test]
async fn case_12_after_the_monitoring_money_is_late_money_of_the_last_invoice_until_the_address_has_cooled_down() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let asked = expired(&merchant, "tron", "12.5").await;
    let invoice_id = asked.invoice_id();
    until_closed(&app, invoice_id).await;
    let (released_at, cooled_at) = end_of_assignment(&app, invoice_id).await;
    for (first_seen_at, late) in [(released_at, "12.5"), (cooled_at - A_MILLISECOND, "25")] {
        Money::to(&app, &asked, "12.5").first_seen_at(first_seen_at).is_seen().await;
        let told = until_amount(&merchant, invoice_id, "late", late).await;
        assert_eq!(standing(&told), ["expired", "paid_late", "0", late]);
    }
    let database = app.database().await;
    let notices = || async {
        let left = query_scalar("select count(*) from deposit_notice where invoice_id = $1").bind(invoice_id);
        left.fetch_one(&database).await.unwrap()
    };
    eventually("the notices to be done with", notices, |left: &i64| *left == 0).await;

    let mut nobodys = Money::to(&app, &asked, "3").first_seen_at(cooled_at);
    assert_eq!(nobodys.tell(Output::seen).await, "unmatched");
    let told = listed(&app, "unmatched", &nobodys).await.expect("money without an invoice");
    assert_eq!((&told["invoice_id"], &told["amount"], &told["state"]), (&Value::Null, &json!("3"), &json!("seen")));
}

#[tokio::test]
async fn case_13_money_from_before_the_next_assignment_is_not_the_next_invoices() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let (first, next) = one_after_the_other(&app, &merchant).await;
    let (_, cooled_at) = end_of_assignment(&app, first.invoice_id()).await;
    // The amount that the next invoice asks for, and its own all the same.
    let mut before = Money::to(&app, &first, "20").first_seen_at(cooled_at - A_MILLISECOND);
    before.is_seen().await;
    let told = until_amount(&merchant, first.invoice_id(), "late", "20").await;
    assert_eq!(standing(&told), ["expired", "paid_late", "0", "20"]);
    before.is_final().await;

    let mut since = Money::to(&app, &next, "7").first_seen_at(time(&next, "created_at"));
    since.is_seen().await;
    let told = until_amount(&merchant, next.invoice_id(), "seen", "7").await;
    assert_eq!(standing(&told), ["waiting_for_deposit", "paid_partial", "7", "0"]);
    assert_eq!(told.body["version"], 2, "its first change since its creation: {told:#?}");
    let told = merchant.read(first.invoice_id()).await;
    assert_eq!(standing(&told), ["expired", "paid_late", "0", "20"]);
}

#[tokio::test]
async fn case_14_money_that_may_be_meant_for_the_invoice_before_is_the_present_ones_and_ambiguous() {
    let app = BRIEF.app();
    let merchant = app.merchant();
    let (first, next) = one_after_the_other(&app, &merchant).await;
    let since = time(&next, "created_at") + A_MILLISECOND;
    let mut clear = Money::to(&app, &next, "7").first_seen_at(since);
    clear.is_seen().await;
    let mut ambiguous = Money::to(&app, &next, "12.5").first_seen_at(since);
    ambiguous.is_seen().await;
    let told = until_amount(&merchant, next.invoice_id(), "seen", "19.5").await;
    assert_eq!(standing(&told), ["waiting_for_deposit", "paid_partial", "19.5", "0"]);
    assert_eq!(standing(&merchant.read(first.invoice_id()).await), ["expired", "none", "0", "0"]);

    let events = timeline(&merchant, next.invoice_id()).await;
    let last = events.last().expect("an event");
    let before = json!(first.invoice_id());
    assert_eq!(ambiguous.in_evidence(last)["ambiguous_with"], before, "{last:#}");
    assert!(clear.in_evidence(last)["ambiguous_with"].is_null(), "{last:#}");

    let told = listed(&app, "ambiguous", &ambiguous).await.expect("ambiguous money");
    let wanted = [json!("ambiguous"), json!(next.invoice_id()), before, json!("12.5"), json!("seen")];
    assert_eq!(["result", "invoice_id", "ambiguous_with", "amount", "state"].map(|field| told[field].clone()), wanted);
    assert!(listed(&app, "ambiguous", &clear).await.is_none());
    assert!(listed(&app, "unmatched", &ambiguous).await.is_none());
}
