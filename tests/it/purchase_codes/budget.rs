//! What a purchase costs at Temporal.

use reqwest::StatusCode;
use system_tests::{History, PROVIDER, TestApp, eventually};

use super::HASTY;
use crate::budget::assert_fits;

#[tokio::test]
async fn a_whole_happy_life_fits_its_budget() {
    let app = HASTY.app();
    // The loan is read, the password spent, the loan disbursed and the voucher deleted.
    assert_fits(60, 4, || happy_life(&app)).await;
}

async fn happy_life(app: &TestApp) -> History {
    let frontend = app.frontend();
    let purchase = frontend.issue(&app.open_loan().await).await;
    assert_eq!(frontend.download(&purchase).await.status, StatusCode::OK);
    assert_eq!(app.till(PROVIDER).try_to_use(&purchase).await.status, StatusCode::OK);
    let history = || app.purchase_history(purchase.id);
    eventually("the run to close", history, History::is_closed).await
}
