//! What a sale costs at Temporal, and what is posted about one.

use futures::TryStreamExt;
use system_tests::{History, Sale, TestApp, eventually};
use temporalio_client::WorkflowListOptions;

use super::{
    DOOR_ALARM, DOOR_ESCALATION, HASTY, ended, found, frames::completed, left_open, notifications::missed, soup,
    still_open, water,
};

/// Changes of the basket, each of which is journalled and none of which is in the history.
const CHANGES: usize = 40;
/// Events in the history of a sale.
const MOST: usize = 40;
/// Events in the history of what is posted.
const MOST_OF_A_POST: usize = 15;

async fn assert_fits(sale: &Sale) {
    let history = eventually("the run to close", || sale.history(), History::is_closed).await;
    assert!(history.len() <= MOST, "{} events\n{}", history.len(), history.outline());
}

#[tokio::test]
async fn a_whole_sale_fits_its_budget_however_much_is_taken_and_put_back() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    for change in 1..CHANGES {
        if change % 2 == 0 {
            fridge.put_back(&["2"]).await;
        } else {
            fridge.take(&[water()]).await;
        }
    }
    fridge.close().await;
    sale.until("completed").await;
    assert_fits(&sale).await;
    let heard = sale.read().await.body["events"].as_array().unwrap().len();
    assert!(heard > CHANGES, "{heard} events are kept");
}

#[tokio::test]
async fn a_sale_whose_door_stays_open_over_both_alarms_fits_the_same_budget() {
    let fridge = HASTY.app().fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    fridge.until_told(&left_open(DOOR_ALARM)).await;
    fridge.until_told(&still_open(DOOR_ESCALATION)).await;
    fridge.close().await;
    sale.until("completed").await;
    assert_fits(&sale).await;
}

#[tokio::test]
async fn a_sale_whose_end_was_missed_and_that_ends_after_all_fits_the_same_budget() {
    let fridge = HASTY.app().fridge().await;
    let sale = found(&fridge, async || {}).await;
    fridge.until_told("whose end was missed is completed").await;
    assert_fits(&sale).await;
}

/// That of a list for which a sale was waiting costs most: operators are told.
#[tokio::test]
async fn what_is_posted_costs_little() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = missed(&fridge).await;
    let own = sale.sale_ref.to_string();
    let bodies = ["rubbish".to_owned(), completed(&[soup()], "4.50", &own), completed(&[water()], "1.60", &own)];
    assert_eq!(fridge.notify(&bodies.each_ref().map(String::as_str)).await, [200; 3]);
    fridge.until_told("whose end was missed is").await;
    app.until_runs(&ended(&sale, "SaleNotification"), bodies.len()).await;

    let temporal = app.temporal().await;
    let mut runs = temporal.list_workflows(ended(&sale, "SaleNotification"), WorkflowListOptions::default());
    while let Some(run) = runs.try_next().await.unwrap() {
        let history = History::fetch(&temporal, run.id()).await;
        assert!(history.len() <= MOST_OF_A_POST, "{} events\n{}", history.len(), history.outline());
    }
}
