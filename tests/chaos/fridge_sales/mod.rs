//! Fridge sales under the sweep.

mod check;
mod load;
mod memory;
mod outside;
mod plots;
mod rest;

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use serde_json::json;
use sqlx::PgPool;
use stack::{Part, Settings};
use system_tests::{Fridge, TestApp};

pub(crate) use check::OPENED_AGAIN;
use memory::Memory;

use crate::{
    process::{Over, Process},
    violation::{Surprises, Violation},
};

/// Each with a frontend and a buyer of its own.
const FRIDGES: usize = 4;
/// So many of them have the ends of their sales posted, too.
const NOTIFYING: usize = 2;
/// Short enough that operators are told of many sales, and long enough that they are not told of others.
const ALERT_WINDOW: Duration = Duration::from_secs(20);

/// The process and what the test knows of it.
pub(crate) struct FridgeSales {
    app: TestApp,
    database: PgPool,
    fridges: Vec<Fridge>,
    memory: Memory,
    surprises: Surprises,
    lingers: bool,
}

/// Holders of websockets that are soon replaced when their worker died, and ends that are soon missed.
pub(crate) fn settings(settings: Settings) -> Settings {
    [
        (Part::Worker, "PERDURA_VENDRON_PING", "1s"),
        (Part::Worker, "PERDURA_VENDRON_IDLE", "5s"),
        (Part::Api, "PERDURA_SALE_ACKNOWLEDGEMENT", "3s"),
        (Part::Api, "PERDURA_SALE_UNLOCK", "4s"),
        (Part::Api, "PERDURA_SALE_CLOSED_TO_COMPLETED", "2s"),
        (Part::Api, "PERDURA_SALE_POLL", "1s"),
        (Part::Api, "PERDURA_SALE_SETTLE", "1s"),
        (Part::Api, "PERDURA_SALE_LATE", "4s"),
        (Part::Api, "PERDURA_SALE_HEARTBEAT", "3s"),
        (Part::Api, "PERDURA_SALE_ATTEMPT", "5s"),
        (Part::Api, "PERDURA_SALE_RETRY_AT_MOST", "1s"),
    ]
    .into_iter()
    .fold(settings, |settings, (part, name, value)| settings.env(part, name, value))
    .env(Part::Api, "PERDURA_SALE_ALERT_WINDOW", format!("{}s", ALERT_WINDOW.as_secs()))
}

impl FridgeSales {
    pub(crate) async fn on(app: &TestApp) -> Self {
        let mut fridges = Vec::new();
        for _ in 0..FRIDGES {
            fridges.push(app.fridge().await);
        }
        for fridge in &fridges[..NOTIFYING] {
            fridge.set(json!({ "notifies": true })).await;
        }
        let (memory, surprises) = (Memory::default(), Surprises::default());
        Self { app: app.clone(), database: app.database().await, fridges, memory, surprises, lingers: false }
    }

    /// Doors stay open for longer than it takes until somebody else holds the websocket of their sale.
    pub(crate) fn lingering(mut self) -> Self {
        self.lingers = true;
        self
    }
}

impl Process for FridgeSales {
    fn name(&self) -> &'static str {
        "fridge sales"
    }

    fn load<'a>(&'a self, seed: u64, over: &'a Over) -> BoxFuture<'a, ()> {
        load::run(self, seed, over).boxed()
    }

    /// A door that is open when the worker dies.
    fn lay_stake(&self) -> BoxFuture<'_, ()> {
        outside::until_a_door_is_open(self).boxed()
    }

    fn wind_down(&self) -> BoxFuture<'_, ()> {
        async {
            let faults = format!("{}/_control/faults", self.app.stack().sandbox_url());
            self.app.http().delete(faults).send().await.expect("the sandbox");
        }
        .boxed()
    }

    fn moves(&self) -> BoxFuture<'_, Option<String>> {
        rest::moves(self).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Violation>> {
        check::run(self).boxed()
    }

    fn work_done(&self) -> usize {
        self.memory.work_done()
    }
}
