//! Crash sweeps: parts are killed with -9 at seeded moments while the processes work, then every promise is checked.
//!
//! A process joins by implementing [`process::Process`]. `PERDURA_CHAOS_SEED=<number>` chooses another schedule and
//! `PERDURA_CHAOS_ROUNDS=<number>` makes it longer; a failure names its seed.

#![expect(clippy::expect_used, reason = "a test that cannot go on ends")]

mod client;
mod dice;
mod fridge_sales;
mod gifts;
mod invoices;
mod plan;
mod process;
mod purchase_codes;
mod sweep;
mod violation;

use stack::Part;
use system_tests::TestApp;
use tokio::sync::Mutex;

use crate::{
    dice::setting, fridge_sales::FridgeSales, gifts::Gifts, invoices::Invoices, plan::Plan,
    purchase_codes::PurchaseCodes, sweep::sweep,
};

/// One sweep at a time: two of them on one machine are about the machine.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Any number will do. A fixed one, so that a change is not blamed for what another schedule would have shown before.
const SEED: u64 = 20_261_122;

#[tokio::test]
async fn killed_at_any_moment_nothing_is_lost_and_nothing_counts_twice() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let plan = Plan::usual(setting("PERDURA_CHAOS_SEED", SEED), setting("PERDURA_CHAOS_ROUNDS", 1));
    for (part, at_least) in [(Part::Worker, 20), (Part::Api, 10), (Part::Temporal, 5), (Part::Postgres, 5)] {
        assert!(plan.kills_of(part) >= at_least, "{part} is killed too rarely");
    }
    let settings = fridge_sales::settings(gifts::settings(purchase_codes::settings(invoices::settings())));
    let app = TestApp::isolated(settings).await;
    let (invoices, purchases) = (Invoices::on(&app).await, PurchaseCodes::on(&app));
    let (sales, gifts) = (FridgeSales::on(&app).await, Gifts::on(&app));
    let found = sweep(&app, &[&invoices, &purchases, &sales, &gifts], &plan).await;
    assert!(found.is_clean(), "{found}");
    assert!(found.work_done() >= plan.kills(), "too little happened for this to prove anything: {found}");
}

/// The guards: a notice of a deposit stays until the workflow was told, and a door is asked to open by whoever was the
/// first to write that down. Without them the checkers have to find money that was acknowledged and never counted, and
/// doors that were opened again, or they could not be trusted when they find nothing.
#[tokio::test]
async fn without_its_guards_the_damage_is_found() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let plan = Plan::at_the_worst_moments(setting("PERDURA_CHAOS_SEED", SEED));
    let settings = fridge_sales::settings(invoices::settings());
    let unguarded = settings.program(Part::Worker, "perdura-worker-lossy", "workers/unguarded");
    let app = TestApp::isolated(unguarded).await;
    let invoices = Invoices::on(&app).await.confirming_at_once();
    let sales = FridgeSales::on(&app).await.lingering();
    let found = sweep(&app, &[&invoices, &sales], &plan).await;
    for damage in [invoices::UNCOUNTED, fridge_sales::OPENED_AGAIN] {
        assert!(found.mentions(damage), "{damage:?} was not found: {found}");
    }
}
