//! Fridge sales: from the request to open a machine to the list of what was taken out of it. The numbers are those of
//! the checklist of failure cases: `8.7` is its seventh.

mod alarms;
mod alerts;
mod budget;
mod crashes;
mod door;
mod frames;
mod late;
mod life;
mod losses;
mod lost_update;
mod machines;
mod money;
mod notifications;
mod open;
mod overdue;
mod search;
mod secrets;
mod status;
mod views;
mod wait;

use std::time::Duration;

use serde_json::{Value, json};
use stack::{Part, Settings};
use system_tests::{Answer, Fridge, Sale, SharedStack, eventually, product};

/// Nobody waits long for anybody, and what is late is soon too late.
static HASTY: SharedStack = SharedStack::new(shared);
/// Until a machine has to begin, and its door to unlock after that.
const UNLOCK: Duration = Duration::from_secs(2);
/// An open door is told after this, which is long after everybody else has heard of it.
const DOOR_ALARM: Duration = Duration::from_secs(5);
/// And again after this.
const DOOR_ESCALATION: Duration = Duration::from_secs(8);

/// A request waits for its process, which knows why it has no answer.
fn shared() -> Settings {
    hasty().env(Part::Api, "PERDURA_DEADLINE", "30s")
}

fn hasty() -> Settings {
    let [unlock, alarm, escalation] = [UNLOCK, DOOR_ALARM, DOOR_ESCALATION].map(|time| format!("{time:?}"));
    [
        (Part::Worker, "PERDURA_VENDRON_PING", "1s"),
        (Part::Worker, "PERDURA_VENDRON_IDLE", "10s"),
        (Part::Api, "PERDURA_SALE_ACKNOWLEDGEMENT", "10s"),
        (Part::Api, "PERDURA_SALE_UNLOCK", &unlock),
        (Part::Api, "PERDURA_SALE_DOOR_ALARM", &alarm),
        (Part::Api, "PERDURA_SALE_DOOR_ESCALATION", &escalation),
        (Part::Api, "PERDURA_SALE_CLOSED_TO_COMPLETED", "1s"),
        (Part::Api, "PERDURA_SALE_POLL", "1s"),
        (Part::Api, "PERDURA_SALE_SETTLE", "1s"),
        (Part::Api, "PERDURA_SALE_LATE", "20s"),
        (Part::Api, "PERDURA_SALE_RETRY_AT_MOST", "1s"),
    ]
    .into_iter()
    .fold(Settings::isolated(), |settings, (part, name, value)| settings.env(part, name, value))
}

/// What operators are told of a door that has been open for so long.
fn left_open(time: Duration) -> String {
    format!("has been open for {time:?}")
}

/// What they are told of it the second time.
fn still_open(time: Duration) -> String {
    format!("is still open after {time:?}")
}

fn soup() -> Value {
    product("1", "Soupe", "4.50")
}

fn water() -> Value {
    product("2", "Eau", "1.60")
}

/// So many soups, as a transaction lists them.
fn soups(quantity: u32) -> Value {
    json!({ "vpn": "1", "name": "Soupe", "unit_price": "4.50", "quantity": quantity })
}

/// So many waters.
fn waters(quantity: u32) -> Value {
    json!({ "vpn": "2", "name": "Eau", "unit_price": "1.60", "quantity": quantity })
}

/// The sale ended with this list and this total, on which everybody agrees, and its door was opened once.
async fn assert_sold(fridge: &Fridge, sale: &Sale, products: &Value, total: &str, what: &str) {
    let sold = sale.until("completed").await;
    assert_eq!(&sold.body["products"], products, "{what}: {sold:#?}");
    assert_eq!((sold.text("total"), sold.text("door")), (total, "closed"), "{what}");
    assert_eq!((sold.text("reported_total"), &sold.body["disputed"]), (total, &json!(false)), "{what}");
    assert_eq!(fridge.openings().await, 1, "{what}");
}

/// The door was not opened, for this reason, and the sale says so, too.
async fn assert_not_opened(fridge: &Fridge, sale: &Sale, code: &str, what: &str) {
    assert_eq!(sale.answer.text("code"), code, "{what}: {:#?}", sale.answer);
    assert_eq!(sale.answer.text("transaction_id"), sale.transaction_id().to_string(), "{what}");
    let failed = sale.read().await;
    assert_eq!((failed.text("status"), &failed.body["failure"]["code"]), ("failed", &json!(code)), "{what}");
    assert_eq!((failed.text("door"), &failed.body["total"]), ("unknown", &Value::Null), "{what}: {failed:#?}");
    assert_eq!(fridge.openings().await, 0, "{what}");
}

/// The end was missed: nothing is owed, and a person is asked to look.
async fn assert_unresolved(fridge: &Fridge, sale: &Sale, what: &str) -> Answer {
    let missed = sale.until("unresolved").await;
    assert_eq!((&missed.body["total"], &missed.body["capture"]), (&Value::Null, &Value::Null), "{what}");
    fridge.until_told("was missed").await;
    missed
}

/// A sale whose end was missed, and that ended after all while somebody listened for that; `meanwhile` happens before.
async fn found(fridge: &Fridge, meanwhile: impl AsyncFnOnce()) -> Sale {
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    sale.until_taken(1).await;
    let before = fridge.view().await["listener"].take();
    fridge.lose_session().await;
    assert_unresolved(fridge, &sale, "a session that vanished").await;
    fridge.until_another_listens(&before).await;
    meanwhile().await;
    fridge.act("complete", json!({})).await;
    sale.until("completed").await;
    sale
}

/// How operators find the runs of one type that were about a sale and have ended by themselves.
fn ended(sale: &Sale, workflow: &str) -> String {
    format!("BusinessKey = '{}' AND WorkflowType = '{workflow}' AND ExecutionStatus = 'Completed'", sale.sale_ref)
}

/// Waits until Vendron has posted ends of the machine's sales so many times, and was told each time that it is taken.
async fn until_posted(fridge: &Fridge, times: usize) {
    let taken = || async {
        let answered = fridge.effects("notified").await;
        answered.iter().filter(|post| post["status"] == 200).count()
    };
    eventually(&format!("{times} posted ends of {}", fridge.id()), taken, |count| *count == times).await;
}
