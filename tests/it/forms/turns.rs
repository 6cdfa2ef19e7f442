//! Turns at a form, straight from the store: what a buyer has before there is an invoice.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use store::postgres::{Database, forms::Turn};
use system_tests::{Buyer, TestApp};
use uuid::Uuid;

use super::{fixed, patch};

const HOUR: Duration = Duration::from_hours(1);

fn store(app: &TestApp) -> Database {
    let url = SecretString::from(app.stack().database_url().to_owned());
    Database::new(&url, 1, "perdura-tests").unwrap()
}

#[tokio::test]
async fn a_turn_without_an_invoice_counts_as_long_as_there_may_be_one() {
    let app = TestApp::shared();
    let form = app.merchant().form(&json!({ "max_uses": 1 })).await;
    let (store, form_id) = (store(&app), form.text("form_id").parse().unwrap());
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let take = |buyer, kept| store.take_turn(form_id, buyer, &[], kept);
    assert_eq!(take(first, HOUR).await.unwrap(), Turn::Taken);
    assert_eq!(take(second, HOUR).await.unwrap(), Turn::UsedUp);
    assert_eq!(take(first, HOUR).await.unwrap(), Turn::Repeated);
    assert_eq!(take(second, Duration::ZERO).await.unwrap(), Turn::Taken, "the first has had its time");
    assert_eq!(take(first, Duration::ZERO).await.unwrap(), Turn::Repeated, "and so has the second");
}

#[tokio::test]
async fn a_repeat_without_an_invoice_says_anew_what_its_buyer_filled() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let (store, form_id) = (store(&app), form.text("form_id").parse().unwrap());
    let (amount, buyer) = (["amount".to_owned()], Uuid::new_v4());
    assert_eq!(store.take_turn(form_id, buyer, &amount, HOUR).await.unwrap(), Turn::Taken);
    assert_eq!(store.take_turn(form_id, buyer, &[], HOUR).await.unwrap(), Turn::Repeated);
    assert_eq!(store.find_filled(buyer).await.unwrap(), Some(vec![]));

    let bought = Buyer::at(&app, &form).buy(&json!({})).await.invoice_id();
    assert_eq!(store.take_turn(form_id, bought, &amount, HOUR).await.unwrap(), Turn::Repeated);
    assert_eq!(store.find_filled(bought).await.unwrap(), Some(vec![]), "an invoice keeps what it was made of");
}

#[tokio::test]
async fn buyers_count_the_uses_of_a_form_no_further_than_they_have_to() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    let form = merchant.form(&fixed()).await;
    let (store, form_id) = (store(&app), form.text("form_id").parse().unwrap());
    let buyer = Buyer::at(&app, &form);
    for _ in 0..2 {
        buyer.buy(&json!({})).await;
    }
    for (max_uses, counted, is_open) in [(json!(null), 0, true), (json!(1), 1, false), (json!(3), 2, true)] {
        patch(&merchant, &form, &json!({ "max_uses": max_uses })).await;
        let shown = store.find_form_for_buyer(form_id).await.unwrap().unwrap();
        assert_eq!((shown.uses, shown.is_open()), (counted, is_open), "{max_uses}");
        assert_eq!(store.find_form(form_id).await.unwrap().unwrap().uses, 2, "the merchant is told of all");
    }
}
