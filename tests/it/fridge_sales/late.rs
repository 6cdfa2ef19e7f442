//! 8.15: an end that came after all, and that nobody lived to tell of.

use sqlx::query;
use stack::{Part, Settings};
use system_tests::{History, TestApp, eventually};
use temporalio_common::protos::temporal::api::enums::v1::EventType;

use super::{assert_unresolved, hasty, soup};

/// Long enough to kill whoever listens, and no longer than a test waits.
fn settings() -> Settings {
    [("LATE", "15s"), ("ATTEMPT", "3s")]
        .into_iter()
        .fold(hasty(), |settings, (name, value)| settings.env(Part::Api, format!("PERDURA_SALE_{name}"), value))
}

/// The listener journals the end and dies, and its time is over before there is another one.
#[tokio::test]
async fn an_end_that_is_on_record_is_told_although_its_listener_is_gone() {
    let app = TestApp::isolated(settings()).await;
    let (fridge, database) = (app.fridge().await, app.database().await);
    let sale = fridge.open().await;
    fridge.take(&[soup()]).await;
    sale.until_taken(1).await;
    fridge.lose_session().await;
    assert_unresolved(&fridge, &sale, "a session that vanished").await;
    app.stack().kill(Part::Worker).unwrap();
    let ended = "update transaction set status = 'empty', products = '[]', due = 0, version = version + 1
                 where transaction_id = $1 and status = 'unresolved'";
    let changed = query(ended).bind(sale.transaction_id()).execute(&database).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let is_given_up = |history: &History| history.count(EventType::ActivityTaskTimedOut) == 1;
    eventually("the listener to be given up", || sale.history(), is_given_up).await;

    app.stack().launch(Part::Worker).await.unwrap();
    fridge.until_told("whose end was missed is empty: 0.00 EUR owed").await;
    sale.until_closed().await;
    let messages = fridge.messages().await;
    assert_eq!(messages.iter().filter(|message| message.contains("whose end was missed")).count(), 1, "{messages:#?}");
}
