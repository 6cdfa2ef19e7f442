//! What a sale costs at Temporal.

use system_tests::{History, TestApp, eventually};

use super::{soup, water};

/// Changes of the basket, each of which is journalled and none of which is in the history.
const CHANGES: usize = 40;

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
    let history = eventually("the run to close", || sale.history(), History::is_closed).await;
    assert!(history.len() <= 40, "{} events\n{}", history.len(), history.outline());
    let heard = sale.read().await.body["events"].as_array().unwrap().len();
    assert!(heard > CHANGES, "{heard} events are kept");
}
