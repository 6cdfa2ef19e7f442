//! By the database's clock, to the millisecond: the clock of a database of its own stands where a test sets it.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::StatusCode;
use sqlx::{PgPool, query, query_scalar};
use stack::Part;
use system_tests::{Answer, Shop, Supplier, TestApp};
use uuid::Uuid;

use super::{assert_refused, rows, settings};

/// The ledger says `clock_timestamp()` without a schema; who comes before Postgres's own in the search path, is asked.
const CLOCK: [&str; 4] = [
    "create schema clock",
    "create table clock.stopped (at timestamptz not null)",
    "create function clock.clock_timestamp() returns timestamptz language sql volatile as
     'select coalesce((select at from clock.stopped), pg_catalog.clock_timestamp())'",
    "do $$ begin
        execute format('alter database %I set search_path = clock, pg_catalog, public', current_database());
     end $$",
];

/// The clock of one stack's ledger, and one shop.
struct Stopped {
    app: TestApp,
    database: PgPool,
    supplier: Supplier,
    shop: Shop,
}

impl Stopped {
    async fn new() -> Self {
        let app = TestApp::isolated(settings()).await;
        let database = app.database().await;
        let supplier = app.supplier(&["1111"]);
        let shop = supplier.device();
        for statement in CLOCK {
            query(statement).execute(&database).await.unwrap();
        }
        // Who decides in the ledger is the worker: it has to connect anew to see this clock.
        app.stack().kill(Part::Worker).unwrap();
        app.stack().launch(Part::Worker).await.unwrap();
        Self { app, database, supplier, shop }
    }

    async fn set(&self, at: DateTime<Utc>) {
        query("delete from clock.stopped").execute(&self.database).await.unwrap();
        query("insert into clock.stopped (at) values ($1)").bind(at).execute(&self.database).await.unwrap();
    }

    /// Uses a new gift at this moment that can be used from noon to midnight. How that is answered.
    async fn used_at(&self, at: DateTime<Utc>) -> (String, Answer) {
        let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let gift_id = self.app.gift_with((&text(noon()), &text(midnight())), "");
        self.set(at).await;
        let answer = self.shop.try_to_use(&gift_id, self.supplier.account(0)).await;
        (gift_id, answer)
    }

    /// Until when a use can be undone.
    async fn voidable_until(&self, redemption_id: Uuid) -> DateTime<Utc> {
        let until = query_scalar("select voidable_until from gift_redemption where redemption_id = $1");
        until.bind(redemption_id).fetch_one(&self.database).await.unwrap()
    }
}

fn noon() -> DateTime<Utc> {
    "2031-03-07T12:00:00Z".parse().unwrap()
}

fn midnight() -> DateTime<Utc> {
    "2031-03-08T00:00:00Z".parse().unwrap()
}

fn millis(millis: i64) -> TimeDelta {
    TimeDelta::milliseconds(millis)
}

/// Cases 3 and 10.
#[tokio::test]
async fn cases_3_and_10_a_gift_is_used_and_freed_in_its_time_to_the_millisecond() {
    let stopped = Stopped::new().await;
    for (at, code) in [
        (noon() - millis(1), "gift_not_yet_valid"),
        (midnight(), "gift_expired"),
        (midnight() + millis(1), "gift_expired"),
    ] {
        let (gift_id, answer) = stopped.used_at(at).await;
        assert_refused(&answer, 400, code);
        assert_eq!(rows::live_use(&stopped.database, &gift_id).await, None);
    }
    for at in [noon(), noon() + millis(1), midnight() - millis(1)] {
        let (_, answer) = stopped.used_at(at).await;
        assert_eq!(answer.status, StatusCode::OK, "at {at}: {answer:#?}");
        assert_eq!(answer.text("used_at"), at.to_rfc3339_opts(SecondsFormat::Millis, true));
    }
    // The time to undo a use has an end as sharp, and does not end with the gift's own.
    for (after, code) in
        [(millis(-1), None), (millis(0), Some("void_window_over")), (millis(1), Some("void_window_over"))]
    {
        let (gift_id, answer) = stopped.used_at(midnight() - millis(1)).await;
        let until = stopped.voidable_until(answer.text("redemption_id").parse().unwrap()).await;
        assert_eq!(until, midnight() - millis(1) + TimeDelta::minutes(10));
        stopped.set(until + after).await;
        let undone = stopped.shop.try_to_void(&gift_id).await;
        match code {
            Some(code) => assert_refused(&undone, 409, code),
            None => assert_eq!(undone.status, StatusCode::OK, "{undone:#?}"),
        }
    }
}
