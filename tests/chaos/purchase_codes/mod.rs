//! Purchase codes under the sweep.

mod check;
mod load;
mod memory;
mod outside;
mod plots;
mod rest;

use futures::{FutureExt, future::BoxFuture};
use stack::{Part, Settings};
use system_tests::{Aws, Device, Frontend, PROVIDER, TestApp};

use memory::Memory;

use crate::{
    process::{Over, Process},
    violation::{Surprises, Violation},
};

/// Clients of lenders, each with a frontend of its own.
const FRONTENDS: usize = 5;
/// Two that scan the same code at once.
const TILLS: usize = 2;

/// The process and what the test knows of it.
pub(crate) struct PurchaseCodes {
    app: TestApp,
    aws: Aws,
    frontends: Vec<Frontend>,
    tills: Vec<Device>,
    memory: Memory,
    surprises: Surprises,
}

/// Codes that end during the sweep, and attempts that are soon given up when their worker died.
pub(crate) fn settings(settings: Settings) -> Settings {
    let settings =
        settings.env(Part::Worker, "PERDURA_MAMBU_TIMEOUT", "2s").env(Part::Worker, "PERDURA_CIAM_TIMEOUT", "2s");
    [
        ("PERDURA_PURCHASE_EXPIRES_IN", "8s"),
        ("PERDURA_PURCHASE_IMAGE_GRACE", "2s"),
        ("PERDURA_PURCHASE_BLOCKED_RETRY", "2s"),
        ("PERDURA_PURCHASE_RETRY_AT_MOST", "1s"),
        ("PERDURA_PURCHASE_ATTEMPT", "4s"),
    ]
    .into_iter()
    .fold(settings, |settings, (name, value)| settings.env(Part::Api, name, value))
}

impl PurchaseCodes {
    pub(crate) fn on(app: &TestApp) -> Self {
        Self {
            app: app.clone(),
            aws: app.aws(),
            frontends: (0..FRONTENDS).map(|_| app.frontend()).collect(),
            tills: (0..TILLS).map(|_| app.till(PROVIDER)).collect(),
            memory: Memory::default(),
            surprises: Surprises::default(),
        }
    }
}

impl Process for PurchaseCodes {
    fn name(&self) -> &'static str {
        "purchase codes"
    }

    fn load<'a>(&'a self, seed: u64, over: &'a Over) -> BoxFuture<'a, ()> {
        load::run(self, seed, over).boxed()
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
        self.memory.answers()
    }
}
