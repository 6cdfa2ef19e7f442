//! Invoices under the sweep.

mod check;
mod client;
mod load;
mod memory;
mod outside;
mod plots;
mod rest;
mod stake;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgPool;
use stack::{Part, Settings};
use system_tests::{Merchant, TestApp};

pub(crate) use check::UNCOUNTED;
use memory::Memory;
use stake::Stake;

use crate::{
    process::{Over, Process},
    violation::Violation,
};

/// Two merchants share nothing, several show that.
const MERCHANTS: usize = 6;
/// Half of the merchants have addresses to begin with; they are too few, so that new ones are made, too.
const POOL: usize = 3;
const NETWORKS: [&str; 3] = ["bitcoin", "ethereum", "tron"];
/// More than the confirmations of every network.
const BLOCKS: u32 = 25;

/// The process and what the test knows of it.
pub(crate) struct Invoices {
    app: TestApp,
    database: PgPool,
    merchants: Vec<Merchant>,
    memory: Memory,
    confirms_at_once: bool,
    stake: Stake,
}

/// Windows short enough that invoices end, close and free their addresses during the sweep, and longer than any part is away.
pub(crate) fn settings() -> Settings {
    [
        ("PERDURA_INVOICE_PARTIAL_GRACE", "1s"),
        // The same on every network.
        ("PERDURA_INVOICE_NETWORKS", ""),
        ("PERDURA_INVOICE_MONITORING", "10s"),
        ("PERDURA_INVOICE_COOL_DOWN", "2s"),
    ]
    .into_iter()
    .fold(Settings::isolated(), |settings, (name, value)| settings.env(Part::Api, name, value))
}

impl Invoices {
    pub(crate) async fn on(app: &TestApp) -> Self {
        let merchants: Vec<_> = (0..MERCHANTS).map(|_| app.merchant()).collect();
        for merchant in merchants.iter().step_by(2) {
            app.fill_pool(merchant, POOL).await;
        }
        let database = app.database().await;
        let (memory, stake) = (Memory::default(), Stake::default());
        Self { app: app.clone(), database, merchants, memory, confirms_at_once: false, stake }
    }

    /// Every payment is reported once, as final: no later confirmation tells of it again.
    pub(crate) fn confirming_at_once(mut self) -> Self {
        self.confirms_at_once = true;
        self
    }
}

impl Process for Invoices {
    fn name(&self) -> &'static str {
        "invoices"
    }

    fn load<'a>(&'a self, seed: u64, over: &'a Over) -> BoxFuture<'a, ()> {
        load::run(self, seed, over).boxed()
    }

    fn lay_stake(&self) -> BoxFuture<'_, ()> {
        stake::lay(self).boxed()
    }

    fn risk_stake(&self) -> BoxFuture<'_, ()> {
        stake::risk(self).boxed()
    }

    fn wind_down(&self) -> BoxFuture<'_, ()> {
        async {
            let faults = format!("{}/_control/faults", self.app.stack().sandbox_url());
            self.app.http().delete(faults).send().await.expect("the sandbox");
            for network in NETWORKS {
                self.app.mine(network, BLOCKS).await;
            }
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
        self.memory.invoices().len()
    }
}
