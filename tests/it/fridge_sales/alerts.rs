//! What operators are told: at once, once, and later where Slack is away.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::query_scalar;
use system_tests::{Fridge, TestApp};

use super::{HASTY, assert_sold, soup, soups};

const MESSAGE: (&str, &str) = ("slack", "message");

/// Tries to open it so many times, each under a key of its own.
async fn refused(fridge: &Fridge, what: &str, times: u32) {
    for number in 0..times {
        let sale = fridge.try_to_open(&format!("{what} {number} {}", fridge.id())).await;
        assert_eq!(sale.answer.status, StatusCode::BAD_GATEWAY, "{what}: {:#?}", sale.answer);
        sale.until_closed().await;
    }
}

/// How many alerts about it are on record.
async fn alerts(app: &TestApp, fridge: &Fridge) -> i64 {
    let count = query_scalar("select count(*) from alert where subject = $1").bind(fridge.id());
    count.fetch_one(&app.database().await).await.unwrap()
}

/// 8.17, 8.19: the token is not taken any more, and later the machine is there and gone again all the time.
#[tokio::test]
async fn what_goes_wrong_again_and_again_is_told_once_and_then_counted() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    fridge.set(json!({ "refuses_with": -2 })).await;
    refused(&fridge, "a bad token", 4).await;
    let messages = fridge.messages().await;
    assert_eq!((messages.len(), alerts(&app, &fridge).await), (1, 4), "{messages:#?}");
    assert!(messages[0].contains("Invalid Public API Token (-2)"), "{messages:#?}");

    // Hours later.
    let age = sqlx::query("update alert set asked_at = asked_at - interval '3 hours' where subject = $1");
    age.bind(fridge.id()).execute(&app.database().await).await.unwrap();
    fridge.set(json!({ "refuses_with": 0, "online": false })).await;
    refused(&fridge, "flapping", 2).await;
    let messages = fridge.messages().await;
    assert_eq!((messages.len(), alerts(&app, &fridge).await), (2, 6), "{messages:#?}");
    assert!(messages[1].contains("offline (-4)") && messages[1].ends_with("(and 3 like it before)"), "{messages:#?}");
    assert_eq!(fridge.openings().await, 0);
}

#[tokio::test]
async fn what_one_machine_does_wrong_is_told_whatever_another_does() {
    let app = TestApp::shared();
    let one = app.fridge().await;
    let other = app.fridge_of(one.frontend()).await;
    for fridge in [&one, &other] {
        fridge.set(json!({ "online": false })).await;
        refused(fridge, "offline", 1).await;
        assert_eq!(fridge.messages().await.len(), 1);
    }
}

#[tokio::test]
async fn a_machine_that_is_only_busy_is_no_alert() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    fridge.set(json!({ "busy": true })).await;
    let sale = fridge.try_to_open("busy").await;
    assert_eq!(sale.answer.status, StatusCode::CONFLICT, "{:#?}", sale.answer);
    sale.until_closed().await;
    assert_eq!((fridge.messages().await.len(), alerts(&app, &fridge).await), (0, 0));
}

/// 8.16
#[tokio::test]
async fn while_slack_is_down_sales_go_on_and_it_is_told_once_later() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    app.break_down(MESSAGE, "error", fridge.id()).await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    app.until_struck(fridge.id()).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "without Slack").await;
    let next = fridge.open().await;
    fridge.close().await;
    next.until("empty").await;
    assert_eq!(fridge.messages().await, Vec::<String>::new());

    app.mend(fridge.id()).await;
    sale.until_closed().await;
    let messages = fridge.until_told("has been open for").await;
    let once = messages.iter().filter(|message| message.contains("has been open for")).count();
    assert_eq!(once, 1, "{messages:#?}");
}
