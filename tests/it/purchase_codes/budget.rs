//! What a purchase costs at Temporal.

use reqwest::StatusCode;
use system_tests::{History, PROVIDER, eventually};

use super::HASTY;

#[tokio::test]
async fn a_whole_happy_life_fits_its_budget() {
    let app = HASTY.app();
    let frontend = app.frontend();
    let purchase = frontend.issue(&app.open_loan().await).await;
    assert_eq!(frontend.download(&purchase).await.status, StatusCode::OK);
    assert_eq!(app.till(PROVIDER).try_to_use(&purchase).await.status, StatusCode::OK);
    let history = || app.purchase_history(purchase.id);
    let history = eventually("the run to close", history, History::is_closed).await;
    assert!(history.len() <= 60, "{} events\n{}", history.len(), history.outline());
}
