//! Sales that nobody can tell the end of, and doors whose buyers have left: nobody waits for ever, and nothing opens late.

use std::time::{Duration, Instant};

use futures::future::join;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::query_scalar;
use stack::{Part, Settings};
use system_tests::{Answer, Sale, TestApp, event_names, eventually};

use super::{UNLOCK, assert_not_opened, assert_sold, assert_unresolved, hasty, soup, soups};

const ACKNOWLEDGEMENT: Duration = Duration::from_secs(5);
/// Both alarms of a door of which nothing is heard come long before its sale is overdue.
const DOOR_ALARM: Duration = Duration::from_secs(1);
const DOOR_ESCALATION: Duration = Duration::from_secs(2);
/// Longer than anything takes here that is not overdue.
const OVERDUE: Duration = Duration::from_secs(10);

/// A holder that died is soon replaced, and what is kept for the next one is heard at once, which is within the settling.
fn settings() -> Settings {
    [
        ("ACKNOWLEDGEMENT", ACKNOWLEDGEMENT),
        ("DOOR_ALARM", DOOR_ALARM),
        ("DOOR_ESCALATION", DOOR_ESCALATION),
        ("OVERDUE", OVERDUE),
        ("HEARTBEAT", Duration::from_secs(5)),
        ("SETTLE", Duration::from_secs(5)),
    ]
    .into_iter()
    .fold(hasty(), |settings, (name, time)| {
        settings.env(Part::Api, format!("PERDURA_SALE_{name}"), format!("{time:?}"))
    })
}

#[tokio::test]
async fn nobody_waits_for_ever_and_no_door_opens_late() {
    let app = TestApp::isolated(settings()).await;
    join(the_machine_cannot_say(&app), nothing_is_heard_of_the_door(&app)).await;
    workers_are_away_for_longer(&app).await;
    workers_are_away_until_the_buyer_has_left(&app).await;
}

/// The door was closed, the list does not come, and the machine is offline from then on.
async fn the_machine_cannot_say(app: &TestApp) {
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    sale.until_taken(1).await;
    fridge.break_down("completed", "timeout").await;
    fridge.act("close", json!({ "complete": false })).await;
    fridge.set(json!({ "online": false })).await;
    let missed = assert_unresolved(&fridge, &sale, "offline").await;
    assert_eq!((missed.text("door"), &missed.body["products"]), ("closed", &json!([soups(1)])));
    assert!(event_names(&missed).contains(&"overdue"), "{missed:#?}");
}

/// It was unlocked, Vendron never said so, and the machine is busy with it: operators hear of the door, and then a person
/// has to look.
async fn nothing_is_heard_of_the_door(app: &TestApp) {
    let fridge = app.fridge().await;
    fridge.break_down("door_open", "execute_then_timeout").await;
    let sale = fridge.try_to_open("unheard").await;
    assert_eq!((sale.answer.status, sale.answer.text("status")), (StatusCode::ACCEPTED, "unresolved"));
    let alarms =
        [format!("may have been open for {DOOR_ALARM:?}"), format!("may still be open after {DOOR_ESCALATION:?}")];
    for words in alarms.iter().map(String::as_str).chain(["was missed"]) {
        fridge.until_told(words).await;
    }
    assert_eq!(fridge.openings().await, 1);
}

/// What Vendron kept meanwhile is heard before anybody gives the sale up.
async fn workers_are_away_for_longer(app: &TestApp) {
    let fridge = app.fridge().await;
    fridge.set(json!({ "keeps_events": true })).await;
    fridge.break_down("door_open", "execute_then_timeout").await;
    let away = async {
        fridge.until_unlocked().await;
        app.stack().kill(Part::Worker).unwrap();
        fridge.until_deserted().await;
        fridge.take(&[soup()]).await;
        fridge.close().await;
        until_long_ago(app, &fridge.sale("away"), &format!("{} seconds", OVERDUE.as_secs())).await;
        app.stack().launch(Part::Worker).await.unwrap();
    };
    let (sale, ()) = join(fridge.try_to_open("away"), away).await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "away").await;
}

/// He asked while no worker was there. Whoever asks again under his key later is told no, and not shown an open door.
async fn workers_are_away_until_the_buyer_has_left(app: &TestApp) {
    let fridge = app.fridge().await;
    app.stack().kill(Part::Worker).unwrap();
    let asked = Answer::to(fridge.opening("gone", &fridge.order())).await;
    assert_eq!(asked.status, StatusCode::SERVICE_UNAVAILABLE, "{asked:#?}");
    // Twice the patience with Vendron, from when Temporal had it.
    let (asked_at, patience) = (Instant::now(), 2 * (ACKNOWLEDGEMENT + UNLOCK));
    eventually("the buyer to leave", async || asked_at.elapsed(), |passed| *passed > patience).await;
    app.stack().launch(Part::Worker).await.unwrap();
    let late = fridge.try_to_open("gone").await;
    assert_eq!(late.answer.status, StatusCode::BAD_GATEWAY, "{:#?}", late.answer);
    assert_not_opened(&fridge, &late, "fridge_unanswered", "gone").await;
    assert!(fridge.effects("session_begun").await.is_empty());
}

/// Waits until the door was asked to open so long ago, by the clock of the database.
async fn until_long_ago(app: &TestApp, sale: &Sale, ago: &str) {
    let database = app.database().await;
    let is_long_ago = || async {
        let select = "select coalesce(unlock_sent_at < now() - $2::text::interval, false) from transaction
             where transaction_id = $1";
        let found = query_scalar(select).bind(sale.transaction_id()).bind(ago).fetch_optional(&database).await;
        found.unwrap().unwrap_or(false)
    };
    eventually("the unlocking to be long ago", is_long_ago, |is: &bool| *is).await;
}
