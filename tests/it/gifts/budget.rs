//! What a use and its undoing cost at Temporal, and what operators see of them.

use system_tests::{History, TestApp, eventually};
use temporalio_common::protos::temporal::api::enums::v1::EventType;
use workflows::gifts::{redemption_workflow_id, void_workflow_id};

use super::{SHOPS, assert_refused};

const MOST_EVENTS: usize = 12;

/// The run has closed within one workflow task.
async fn assert_cheap(app: &TestApp, workflow_id: String) {
    let temporal = app.temporal().await;
    let history = || History::fetch(&temporal, &workflow_id);
    let history = eventually("the run to close", history, History::is_closed).await;
    assert!(history.len() <= MOST_EVENTS, "{} events\n{}", history.len(), history.outline());
    assert_eq!(history.count(EventType::WorkflowTaskCompleted), 1, "{}", history.outline());
}

#[tokio::test]
async fn a_use_and_its_undoing_fit_their_budget() {
    let app = SHOPS.app();
    let supplier = app.supplier(&["1111"]);
    let (shop, gift_id) = (supplier.device(), app.gift());
    shop.ask_to_use("used", &gift_id, supplier.account(0)).await;
    assert_refused(&shop.ask_to_use("refused", &gift_id, supplier.account(0)).await, 400, "gift_already_used");
    shop.ask_to_void("voided", &gift_id).await;
    assert_refused(&shop.ask_to_void("too late", &gift_id).await, 409, "gift_not_used");
    for key in ["used", "refused"] {
        assert_cheap(&app, redemption_workflow_id(shop.redemption_id(key))).await;
    }
    for key in ["voided", "too late"] {
        assert_cheap(&app, void_workflow_id(shop.void_id(key))).await;
    }
    for (status, runs) in [("used", 1), ("refused", 2), ("voided", 1)] {
        app.until_runs(&format!("GiftId = '{gift_id}' AND BusinessStatus = '{status}'"), runs).await;
    }
    let key = shop.redemption_id("used");
    app.until_runs(&format!("BusinessKey = '{key}' AND WorkflowType = 'GiftRedemption'"), 1).await;
}
