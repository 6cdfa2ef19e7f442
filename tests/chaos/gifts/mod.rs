//! Gifts under the sweep.

mod check;
mod load;
mod memory;
mod plots;
mod rest;

use std::future::ready;

use futures::{FutureExt, future::BoxFuture};
use stack::{Part, Settings};
use system_tests::{Account, Shop, Supplier, TestApp};

use memory::Memory;

use crate::{
    dice::setting,
    process::{Over, Process},
    violation::{Surprises, Violation},
};

/// Each with a till of its own and a rival's, and with gifts that nobody else touches.
const CLIENTS: usize = 2;
/// More than a client gets through in one round, of those for anybody and of those for its own supplier.
const FOR_ANYBODY: usize = 3000;
const FOR_ONE: usize = 600;
const PIN: &str = "1111";

/// The process and what the test knows of it.
pub(crate) struct Gifts {
    app: TestApp,
    corners: Vec<Corner>,
    memory: Memory,
    surprises: Surprises,
}

/// What one client has.
struct Corner {
    own: Till,
    rival: Till,
    for_anybody: Vec<String>,
    for_own: Vec<String>,
    /// Kept until everything is over.
    last: [String; 2],
}

/// Which of a corner's tills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Own,
    Rival,
}

/// A device that knows its PIN.
struct Till {
    shop: Shop,
    account: Account,
}

/// Locks that pass, and attempts that are soon given up when their worker died.
pub(crate) fn settings(settings: Settings) -> Settings {
    [
        ("PERDURA_PIN_LOCKS", "1s"),
        ("PERDURA_GIFT_VOID_WINDOW", "24h"),
        ("PERDURA_GIFT_RETRY_AT_MOST", "1s"),
        ("PERDURA_GIFT_ATTEMPT", "4s"),
    ]
    .into_iter()
    .fold(settings, |settings, (name, value)| settings.env(Part::Api, name, value))
}

impl Gifts {
    pub(crate) fn on(app: &TestApp) -> Self {
        let rounds = usize::try_from(setting("PERDURA_CHAOS_ROUNDS", 1)).expect("a number of rounds");
        let corners = (0..CLIENTS).map(|_| Corner::new(app, rounds)).collect();
        Self { app: app.clone(), corners, memory: Memory::default(), surprises: Surprises::default() }
    }
}

impl Corner {
    fn new(app: &TestApp, rounds: usize) -> Self {
        let (own, rival) = (app.supplier(&[PIN]), app.supplier(&[PIN]));
        let for_anybody = app.gifts(FOR_ANYBODY * rounds);
        let for_own = app.gifts_for(&own, FOR_ONE * rounds);
        let last = [app.gift(), app.gift()];
        Self { own: Till::of(&own), rival: Till::of(&rival), for_anybody, for_own, last }
    }

    const fn till(&self, side: Side) -> &Till {
        match side {
            Side::Own => &self.own,
            Side::Rival => &self.rival,
        }
    }
}

impl Till {
    fn of(supplier: &Supplier) -> Self {
        Self { shop: supplier.device(), account: supplier.account(0).clone() }
    }
}

impl Process for Gifts {
    fn name(&self) -> &'static str {
        "gifts"
    }

    fn load<'a>(&'a self, seed: u64, over: &'a Over) -> BoxFuture<'a, ()> {
        load::run(self, seed, over).boxed()
    }

    fn wind_down(&self) -> BoxFuture<'_, ()> {
        // Nothing outside has a part in this.
        ready(()).boxed()
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
