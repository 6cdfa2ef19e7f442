//! What a caller who goes away leaves to the next one who gets his connection.

use std::time::Duration;

use chrono::Utc;
use futures::poll;
use secrecy::SecretString;
use sqlx::query_scalar;
use store::postgres::Database;
use system_tests::TestApp;
use uuid::Uuid;
use workflows::{
    contracts::{
        alerts::{Alert, AlertKind},
        fridge_journal::RecordCheck,
    },
    fridge_sales::{CheckRequest, MachineState, MachineStatus},
};

/// How often somebody goes away.
const TIMES: usize = 20;

fn alert() -> Alert {
    Alert {
        alert_id: Uuid::now_v7(),
        kind: AlertKind::RequestError,
        subject: Uuid::now_v7().to_string(),
        text: "of somebody who has gone".to_owned(),
        window: Duration::ZERO,
        now: Utc::now(),
    }
}

fn question(machine_id: &str) -> RecordCheck {
    let request = CheckRequest { event_id: Uuid::now_v7(), frontend: "frontend:next".to_owned(), user_id: None };
    let state = MachineState {
        status: MachineStatus::Available,
        code: None,
        message: String::new(),
        heard: String::new(),
        checked_at: Utc::now(),
    };
    RecordCheck { machine_id: machine_id.to_owned(), request, state }
}

/// His `begin` is on its way, and its answer is not there. The next one's writes are kept all the same: they are not
/// statements of a transaction that nobody knows of, and nobody ends.
#[tokio::test]
async fn whoever_goes_away_while_a_transaction_begins_leaves_no_transaction() {
    let app = TestApp::shared();
    let (fridge, others) = (app.fridge().await, app.database().await);
    let url = SecretString::from(app.stack().database_url());
    let database = Database::new(&url, 1, "perdura-test").unwrap();
    database.ping().await.unwrap();
    for _ in 0..TIMES {
        let alert = alert();
        let mut leaving = Box::pin(database.claim_alert(&alert, Duration::ZERO));
        assert!(poll!(&mut leaving).is_pending(), "nobody could leave");
        drop(leaving);
        let question = question(fridge.id());
        database.record_check(&question).await.unwrap();
        let seen = query_scalar("select count(*) from event where event_id = $1").bind(question.request.event_id);
        let seen: i64 = seen.fetch_one(&others).await.unwrap();
        assert_eq!(seen, 1, "what was acknowledged is not kept");
    }
}
