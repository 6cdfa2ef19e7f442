//! Purchase codes beside a bare process with as many activities: issuing one, and what it costs at Temporal.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, ensure};
use futures::{StreamExt, stream};
use reqwest::StatusCode;
use serde_json::json;
use stack::Part;
use system_tests::{Frontend, History, Loan, PROVIDER, TestApp, eventually};
use uuid::Uuid;
use workflows::purchase_codes::workflow_id;

use crate::{
    arena::{Arena, new_note},
    compare::{IN_FLIGHT, Load, compare, warm_up},
    cost,
    figures::{Cost, Figures},
    floor,
    load::Target,
    plan::Plan,
    vouchers,
};

const PARTS: [Part; 6] = [Part::Api, Part::Worker, Part::Temporal, Part::Postgres, Part::Aws, Part::Sandbox];
/// Where the floor issues.
const PURCHASES: &str = "/purchases";
/// Issues that no figure is of.
const WARM_UP: usize = IN_FLIGHT * 10;
/// Issues whose calls are counted, one at a time.
const COUNTED: u32 = 50;
/// What is only prepared is prepared with so many in flight.
pub(crate) const AT_ONCE: usize = 16;
/// The usual ones would be over before the last round.
const OTP_SECONDS: u32 = 86_400;

const NOTE: &str = "\
An issue of ours makes six HTTP requests to the sandbox, which plays Mambu and CIAM: the loan, the client and the credit
arrangement at once, then the one-time password, the disbursement and the loan's schedule, one after the other. It also
writes two transactions to DynamoDB, which MiniStack plays. The floor's five activities (two local, three regular) do
nothing and keep nothing: the ratios are of everything that a purchase does over that, with the processor time that the
sandbox and MiniStack take on the same machine.";

/// Adds what is measured to the figures.
pub(crate) async fn measure(arena: &Arena, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let frontend = arena.app.frontend();
    let loans = usize::try_from(plan.all_issues() + u64::from(COUNTED))? + WARM_UP;
    let ours = arena.contender(issuing(&frontend, open_loans(&arena.app, loans).await), &PARTS)?;
    let floor = arena.floor_contender(arena.floor_creation(PURCHASES), &[Part::Temporal])?;
    warm_up(&ours, &floor, WARM_UP).await?;
    figures.costs.push(issue_cost(&arena.app, &frontend, &ours.target).await?);
    figures.costs.push(floor_cost(arena, &floor.target).await?);
    figures.costs.push(life_cost(&arena.app, &frontend).await?);
    let contests = [
        ("Issue, one at a time", Load::closed(1, plan.issues)),
        ("Issue, 16 in flight", Load::closed(IN_FLIGHT, plan.parallel_issues)),
    ];
    figures.comparisons.extend(compare(&contests, plan.rounds, &ours, &floor).await?);
    figures.notes.push(NOTE);
    figures.vouchers = Some(vouchers::measure(arena, &frontend, plan.vouchers).await?);
    Ok(())
}

/// A new client's approved loan, and a one-time password for it that lasts as long as this program.
pub(crate) async fn open_loan(app: &TestApp) -> Loan {
    let loan = Loan::of_new_client();
    app.add_loan(&loan, json!({})).await;
    app.hand_out(&loan.client_id, json!({ "expires_in_seconds": OTP_SECONDS })).await;
    loan
}

async fn open_loans(app: &TestApp, loans: usize) -> Vec<Loan> {
    stream::iter(0..loans).map(|_| open_loan(app)).buffer_unordered(AT_ONCE).collect().await
}

/// Each loan is good for one request, so that requests are counted over all rounds. One too many would fail.
fn issuing(frontend: &Frontend, loans: Vec<Loan>) -> Target {
    let (frontend, next) = (frontend.clone(), AtomicUsize::new(0));
    Target::new(StatusCode::CREATED, move |_| {
        let loan = &loans[next.fetch_add(1, Ordering::Relaxed) % loans.len()];
        frontend.asking(&Uuid::new_v4().to_string(), &loan.request())
    })
}

async fn issue_cost(app: &TestApp, frontend: &Frontend, target: &Target) -> Result<Cost> {
    let calls = cost::calls(app, target, COUNTED).await?;
    let purchase = frontend.issue(&open_loan(app).await).await;
    Ok(cost::of(app, "One purchase code at Temporal, until it is issued", &workflow_id(purchase.id), calls).await)
}

async fn floor_cost(arena: &Arena, target: &Target) -> Result<Cost> {
    let calls = cost::calls(&arena.app, target, COUNTED).await?;
    let id = cost::one(new_note(arena.app.http(), &arena.floor.url(PURCHASES)), "id").await?;
    Ok(cost::of(&arena.app, "One purchase of the floor", &floor::purchase_workflow_id(id), calls).await)
}

async fn life_cost(app: &TestApp, frontend: &Frontend) -> Result<Cost> {
    let purchase = frontend.issue(&open_loan(app).await).await;
    let used = app.till(PROVIDER).try_to_use(&purchase).await;
    ensure!(used.status == StatusCode::OK, "the code was not used: {used:?}");
    let history = || app.purchase_history(purchase.id);
    let history = eventually("the run to close", history, History::is_closed).await;
    Ok(cost::of_history("One purchase code at Temporal, issued and used, to its end", &history, BTreeMap::new()))
}
