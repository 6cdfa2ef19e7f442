//! 8.7: when operators are told of a door that stays open. Never before its time, which counts from the opening,
//! whoever holds the websocket meanwhile; and each of the two once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join;
use serde_json::{Value, json};
use sqlx::{PgPool, query, query_as, query_scalar};
use stack::{Part, Settings};
use system_tests::{Fridge, Sale, TestApp, eventually};

use super::{
    DOOR_ALARM, DOOR_ESCALATION, HASTY, assert_sold, hasty, left_open, soup, soups, still_open, water, waters,
};

const LEFT_OPEN: &str = "door_left_open";
const STILL_OPEN: &str = "door_still_open";
/// A timer and the times on record go by two clocks, which may be this far apart.
const CLOCKS: TimeDelta = TimeDelta::milliseconds(50);

/// Longer than any test: only a door that has been open for as long can be told, however often its holder changes.
const HALF_AN_HOUR: Duration = Duration::from_mins(30);
const AN_HOUR: Duration = Duration::from_hours(1);

/// An alarm on record: which, when somebody thought it due, and when the database had it.
type Alarm = (String, DateTime<Utc>, DateTime<Utc>);

/// A holder that died is soon replaced.
fn patient() -> Settings {
    [("HEARTBEAT", Duration::from_secs(5)), ("DOOR_ALARM", HALF_AN_HOUR), ("DOOR_ESCALATION", AN_HOUR)]
        .into_iter()
        .fold(hasty(), |settings, (name, time)| {
            settings.env(Part::Api, format!("PERDURA_SALE_{name}"), format!("{time:?}"))
        })
}

/// The alarms about a machine, in their order.
async fn alarms(database: &PgPool, fridge: &Fridge) -> Vec<Alarm> {
    let select = "select kind, asked_at, recorded_at from alert where subject = $1 order by asked_at, kind";
    query_as(select).bind(fridge.id()).fetch_all(database).await.unwrap()
}

fn kinds(alarms: &[Alarm]) -> Vec<&str> {
    alarms.iter().map(|(kind, ..)| kind.as_str()).collect()
}

/// When a door was asked to open, and when it did, as the journal has it.
async fn opening(database: &PgPool, sale: &Sale) -> (DateTime<Utc>, DateTime<Utc>) {
    let select = "select unlock_sent_at, opened_at from transaction where transaction_id = $1";
    query_as(select).bind(sale.transaction_id()).fetch_one(database).await.unwrap()
}

#[tokio::test]
async fn no_alarm_rings_before_the_door_was_open_for_as_long() {
    let app = HASTY.app();
    let (fridge, database) = (app.fridge().await, app.database().await);
    let sale = fridge.open().await;
    for words in [left_open(DOOR_ALARM), still_open(DOOR_ESCALATION)] {
        fridge.until_told(&words).await;
    }
    fridge.close().await;
    sale.until("empty").await;
    sale.until_closed().await;
    let (_, opened_at) = opening(&database, &sale).await;
    let rung = alarms(&database, &fridge).await;
    assert_eq!(kinds(&rung), [LEFT_OPEN, STILL_OPEN], "{rung:#?}");
    for ((kind, asked_at, _), time) in rung.iter().zip([DOOR_ALARM, DOOR_ESCALATION]) {
        let open_for = *asked_at - opened_at;
        assert!(open_for + CLOCKS >= TimeDelta::from_std(time).unwrap(), "{kind} after {open_for}");
    }
}

#[tokio::test]
async fn the_time_counts_from_the_opening_whoever_holds_the_websocket() {
    let app = TestApp::isolated(patient()).await;
    the_door_opens_late(&app).await;
    whoever_takes_over_goes_on_counting_and_tells_at_once_what_is_past(&app).await;
}

/// The door takes longer to open than its holder waits for that, and was asked to open long before.
async fn the_door_opens_late(app: &TestApp) {
    let (fridge, database) = (app.fridge().await, app.database().await);
    let held = json!({
        "system": "vendron", "operation": "door_open", "kind": "slow", "match": fridge.uid(), "times": 1,
        "delay_ms": 20_000,
    });
    app.control("/faults", held).await;
    let opened = async {
        fridge.sale("late").until_heard("check_machine_state_error").await;
        app.mend(fridge.uid()).await;
    };
    let (sale, ()) = join(fridge.try_to_open("late"), opened).await;
    ask_earlier(&database, &sale).await;
    let (asked_at, opened_at) = opening(&database, &sale).await;
    assert!(opened_at - asked_at > TimeDelta::from_std(AN_HOUR).unwrap(), "it did not open late: this proves nothing");
    fridge.take(&[water()]).await;
    sale.until_taken(1).await;

    let due_at = age(&database, &sale, "30 minutes").await;
    fridge.take(&[soup()]).await;
    fridge.until_told(&left_open(HALF_AN_HOUR)).await;
    let due_again_at = age(&database, &sale, "30 minutes").await;
    fridge.put_back(&["2"]).await;
    fridge.until_told(&still_open(AN_HOUR)).await;
    fridge.close().await;
    assert_sold(&fridge, &sale, &json!([soups(1)]), "4.50", "opened late").await;
    sale.until_closed().await;
    assert_rung_when_due(&database, &fridge, [due_at, due_again_at]).await;
}

/// Both have rung, and neither before it was due.
async fn assert_rung_when_due(database: &PgPool, fridge: &Fridge, due: [DateTime<Utc>; 2]) {
    let rung = alarms(database, fridge).await;
    assert_eq!(kinds(&rung), [LEFT_OPEN, STILL_OPEN], "{rung:#?}");
    assert!(rung[0].2 >= due[0] && rung[1].2 >= due[1], "due at {due:?}: {rung:#?}");
}

/// Lets a door have been asked to open two hours earlier than it was.
async fn ask_earlier(database: &PgPool, sale: &Sale) {
    let update =
        "update transaction set unlock_sent_at = unlock_sent_at - interval '2 hours' where transaction_id = $1";
    query(update).bind(sale.transaction_id()).execute(database).await.unwrap();
}

/// Lets the door of a sale have been open for so much longer. Since when it has, by the database's clock.
async fn age(database: &PgPool, sale: &Sale, by: &str) -> DateTime<Utc> {
    let update = "update transaction set opened_at = opened_at - $2::text::interval where transaction_id = $1
                  returning clock_timestamp()";
    query_scalar(update).bind(sale.transaction_id()).bind(by).fetch_one(database).await.unwrap()
}

/// Until it is on record that an alarm was told, it may be told again, rather than not at all.
async fn until_recorded(database: &PgPool, fridge: &Fridge) {
    let told = || async {
        let count = query_scalar("select count(*) from alert where subject = $1 and sent_at is not null");
        count.bind(fridge.id()).fetch_one(database).await.unwrap()
    };
    eventually("the alarm to be recorded as told", told, |count: &i64| *count == 1).await;
}

/// An open door that was told when it was time for that, and not ten minutes before. When it was time.
async fn told_in_time(database: &PgPool, fridge: &Fridge) -> (Sale, DateTime<Utc>) {
    let sale = fridge.open().await;
    age(database, &sale, "20 minutes").await;
    fridge.take(&[water()]).await;
    sale.until_taken(1).await;
    let due_at = age(database, &sale, "10 minutes").await;
    fridge.take(&[soup()]).await;
    fridge.until_told(&left_open(HALF_AN_HOUR)).await;
    until_recorded(database, fridge).await;
    (sale, due_at)
}

/// One door is told of before the worker is killed and after, one only after, and one is closed in between.
async fn whoever_takes_over_goes_on_counting_and_tells_at_once_what_is_past(app: &TestApp) {
    let database = app.database().await;
    let fridges = app.fridges_of(&app.frontend(), 3).await;
    let [told, untold, closed] = &fridges[..] else { panic!("three fridges") };
    let (sale, due_at) = told_in_time(&database, told).await;
    let (closing, _) = told_in_time(&database, closed).await;
    let later = untold.open().await;
    closed.act("close", json!({ "complete": false })).await;
    closing.until("closed").await;

    app.stack().kill(Part::Worker).unwrap();
    for fridge in &fridges {
        fridge.until_deserted().await;
    }
    let due_again_at = age(&database, &sale, "30 minutes").await;
    for sale in [&later, &closing] {
        age(&database, sale, "2 hours").await;
    }
    app.stack().launch(Part::Worker).await.unwrap();
    for fridge in [told, untold] {
        fridge.until_told(&still_open(AN_HOUR)).await;
    }
    untold.until_told(&left_open(HALF_AN_HOUR)).await;

    end(&fridges, [&sale, &later, &closing]).await;
    assert_rung_when_due(&database, told, [due_at, due_again_at]).await;
    // Nobody has to close the third any more.
    for (fridge, expected) in fridges.iter().zip([&[LEFT_OPEN, STILL_OPEN][..], &[LEFT_OPEN, STILL_OPEN], &[LEFT_OPEN]])
    {
        assert_eq!(kinds(&alarms(&database, fridge).await), expected);
        let messages = fridge.messages().await;
        assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    }
}

/// All of them end as any other, once somebody listens again.
async fn end(fridges: &[Fridge], sales: [&Sale; 3]) {
    let [told, untold, closed] = fridges else { panic!("three fridges") };
    for fridge in fridges {
        fridge.until_another_listens(&Value::Null).await;
    }
    told.close().await;
    untold.close().await;
    closed.act("complete", json!({})).await;
    for (fridge, sale) in [(told, sales[0]), (closed, sales[2])] {
        assert_sold(fridge, sale, &json!([soups(1), waters(1)]), "6.10", "left open").await;
    }
    sales[1].until("empty").await;
    for sale in sales {
        sale.until_closed().await;
    }
}
