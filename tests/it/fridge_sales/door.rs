//! The door: not opened by anybody, opened and closed with nothing taken, and not closed for too long.

use futures::future::join;
use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Fridge, Sale, TestApp};

use super::{DOOR_ALARM, DOOR_ESCALATION, HASTY, assert_sold, left_open, soup, soups, still_open};

async fn assert_empty(fridge: &Fridge, sale: &Sale, openings: usize) {
    let ended = sale.until("empty").await;
    assert_eq!((ended.text("total"), &ended.body["products"]), ("0.00", &json!([])), "{ended:#?}");
    assert_eq!(ended.body["capture"], json!({ "amount": "0.00", "shortfall": "0.00" }));
    assert_eq!((ended.text("door"), &ended.body["disputed"]), ("closed", &json!(false)));
    assert_eq!(fridge.openings().await, openings);
}

/// 8.6: unlocked, and nobody came.
#[tokio::test]
async fn a_sale_that_vendron_cancels_is_empty_and_no_error() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    fridge.give_up().await;
    assert_empty(&fridge, &sale, 1).await;

    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    fridge.put_back(&["1"]).await;
    fridge.close().await;
    assert_empty(&fridge, &sale, 2).await;
    sale.until_closed().await;
    assert_eq!(fridge.messages().await, Vec::<String>::new());
}

/// 8.6: it was asked to unlock and never did.
#[tokio::test]
async fn a_door_that_never_opened_is_an_empty_sale() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    fridge.break_down("door_open", "timeout").await;
    let cancelled = async {
        app.until_struck(fridge.uid()).await;
        fridge.give_up().await;
    };
    let (sale, ()) = join(fridge.try_to_open("never opened"), cancelled).await;
    assert_eq!((sale.answer.status, sale.answer.text("status")), (StatusCode::CREATED, "empty"));
    assert_empty(&fridge, &sale, 0).await;
}

/// 8.7
#[tokio::test]
async fn a_door_that_stays_open_is_told_twice_and_closes_as_any_other() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    fridge.until_told(&left_open(DOOR_ALARM)).await;
    fridge.until_told(&still_open(DOOR_ESCALATION)).await;
    assert_eq!(sale.read().await.text("status"), "open");
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(2)]), "9.00", "left open").await;
    sale.until_closed().await;
    let messages = fridge.messages().await;
    assert_eq!(messages.len(), 2, "{messages:#?}");
    let transaction_id = sale.transaction_id().to_string();
    assert!(messages.iter().all(|message| message.ends_with(&transaction_id)), "{messages:#?}");
}

/// 8.7: whoever takes over a websocket goes on counting, and tells nothing again.
#[tokio::test]
async fn a_door_that_stays_open_is_told_twice_whoever_holds_its_websocket() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    for words in [left_open(DOOR_ALARM), still_open(DOOR_ESCALATION)] {
        let before = fridge.drop_connections().await;
        fridge.until_another_listens(&before).await;
        fridge.until_told(&words).await;
    }
    let before = fridge.drop_connections().await;
    fridge.until_another_listens(&before).await;
    fridge.close().await;
    assert_empty(&fridge, &sale, 1).await;
    sale.until_closed().await;
    let messages = fridge.messages().await;
    assert_eq!(messages.len(), 2, "{messages:#?}");
}
