//! A sale has its machine, and the task that claimed it was lost, with the update that had asked for it.

use serde_json::json;
use stack::Part;
use system_tests::TestApp;
use workflows::fridge_sales::workflow_id;

use super::{assert_sold, hasty, soup, soups};

/// The buyer goes on shopping, and nobody asks for the sale again.
#[tokio::test]
async fn its_run_goes_on_with_it_although_nobody_asks() {
    let app = TestApp::isolated(hasty()).await;
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    app.stack().kill(Part::Worker).unwrap();
    app.lose_first_task(workflow_id(sale.sale_ref)).await;
    fridge.until_deserted().await;
    app.stack().launch(Part::Worker).await.unwrap();
    fridge.until_another_listens(&json!(null)).await;
    fridge.take(&[soup()]).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "an update that was lost").await;
    sale.until_closed().await;
}
