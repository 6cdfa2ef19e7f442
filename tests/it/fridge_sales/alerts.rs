//! What operators are told: at once, once, and later where Slack is away.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::{PgPool, query_scalar};
use system_tests::{Fridge, TestApp, eventually};

use super::{DOOR_ALARM, DOOR_ESCALATION, HASTY, assert_sold, found, left_open, soup, soups, still_open};

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
async fn alerts(database: &PgPool, fridge: &Fridge) -> i64 {
    let count = query_scalar("select count(*) from alert where subject = $1").bind(fridge.id());
    count.fetch_one(database).await.unwrap()
}

/// 8.17: the machine is not known any more, and later the machine is there and gone again all the time.
#[tokio::test]
async fn what_goes_wrong_again_and_again_is_told_once_and_then_counted() {
    let app = TestApp::shared();
    let (fridge, database) = (app.fridge().await, app.database().await);
    fridge.set(json!({ "refuses_with": -3 })).await;
    refused(&fridge, "unknown", 4).await;
    let messages = fridge.messages().await;
    assert_eq!((messages.len(), alerts(&database, &fridge).await), (1, 4), "{messages:#?}");
    assert!(messages[0].contains("Invalid Machine UID (-3)"), "{messages:#?}");

    // Hours later.
    let age = sqlx::query("update alert set asked_at = asked_at - interval '3 hours' where subject = $1");
    age.bind(fridge.id()).execute(&database).await.unwrap();
    fridge.set(json!({ "refuses_with": 0, "online": false })).await;
    refused(&fridge, "flapping", 2).await;
    let messages = fridge.messages().await;
    assert_eq!((messages.len(), alerts(&database, &fridge).await), (2, 6), "{messages:#?}");
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
    assert_eq!((fridge.messages().await.len(), alerts(&app.database().await, &fridge).await), (0, 0));
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

/// 8.7, 8.16: whoever hears the end is not the one who could not tell of the open door.
#[tokio::test]
async fn alarms_that_an_earlier_holder_could_not_tell_are_told_once_after_the_end() {
    let app = HASTY.app();
    let (fridge, database) = (app.fridge().await, app.database().await);
    app.break_down(MESSAGE, "error", fridge.id()).await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    eventually("an alarm", || alerts(&database, &fridge), |count| *count >= 1).await;
    fridge.act("close", json!({ "complete": false })).await;
    sale.until("closed").await;
    let before = fridge.drop_connections().await;
    fridge.until_another_listens(&before).await;
    fridge.act("complete", json!({})).await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "another holder").await;

    app.mend(fridge.id()).await;
    sale.until_closed().await;
    let messages = fridge.messages().await;
    let once = messages.iter().filter(|message| message.contains(&left_open(DOOR_ALARM))).count();
    assert_eq!(once, 1, "{messages:#?}");
}

/// 8.7, 8.16: both alarms of a door come while it is open, and nobody hears them.
#[tokio::test]
async fn alarms_that_slack_did_not_take_are_told_once_after_the_end() {
    let app = HASTY.app();
    let (fridge, database) = (app.fridge().await, app.database().await);
    app.break_down(MESSAGE, "error", fridge.id()).await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    eventually("both alarms", || alerts(&database, &fridge), |count| *count == 2).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "without Slack").await;
    assert_eq!(fridge.messages().await, Vec::<String>::new());

    app.mend(fridge.id()).await;
    sale.until_closed().await;
    let messages = fridge.messages().await;
    for words in [left_open(DOOR_ALARM), still_open(DOOR_ESCALATION)] {
        let times = messages.iter().filter(|message| message.contains(&words)).count();
        assert_eq!(times, 1, "{words}: {messages:#?}");
    }
    assert_eq!(messages.len(), 2, "{messages:#?}");
}

/// 8.15, 8.16
#[tokio::test]
async fn a_late_end_that_slack_did_not_take_is_told_once_later() {
    let app = HASTY.app();
    let fridge = app.fridge().await;
    let sale = found(&fridge, async || app.break_down(MESSAGE, "error", fridge.id()).await).await;
    app.until_struck(fridge.id()).await;
    app.mend(fridge.id()).await;
    sale.until_closed().await;
    let messages = fridge.messages().await;
    let once = messages.iter().filter(|message| message.contains("whose end was missed is completed")).count();
    assert_eq!(once, 1, "{messages:#?}");
}
