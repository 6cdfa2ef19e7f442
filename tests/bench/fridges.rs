//! Fridge sales beside a bare process with as many steps: opening one, what a sale costs at Temporal, and many doors that
//! are open at once on one worker.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::{FutureExt, future::join_all};
use reqwest::StatusCode;
use serde_json::Value;
use stack::Part;
use system_tests::{Fridge, History, Sale, TestApp, eventually, product, within};
use uuid::Uuid;
use workflows::fridge_sales::workflow_id;

use crate::{
    arena::{Arena, new_note},
    compare::{IN_FLIGHT, Load, compare, warm_up},
    cost,
    figures::{Cost, Crowd, Figures, Side, Turn},
    floor,
    load::{Sample, Target},
    plan::Plan,
};

const PARTS: [Part; 5] = [Part::Api, Part::Worker, Part::Temporal, Part::Postgres, Part::Sandbox];
/// Where the floor opens.
const SALES: &str = "/sales";
/// Opened in turn; more than are open at any time.
const FRIDGES: usize = IN_FLIGHT * 4;
/// Opens that no figure is of.
const WARM_UP: usize = IN_FLIGHT * 10;
/// Opens whose calls are counted, one at a time.
const COUNTED: u32 = 50;
/// Longer than anything takes from a closed door to the end of its sale.
const PATIENCE: Duration = Duration::from_mins(3);

const NOTE: &str = "\
An open of ours claims the machine in Postgres inside the workflow task; then an activity connects to the sandbox, which
plays Vendron, sends two commands over that websocket, each after its intent is committed, writes down each of the
frames that come back, and tells the run that the door is open. The floor's activity only tells its run. After each open
of ours its sale is cancelled and brought to its end, which is not timed, but is in the throughput and the processor
time.";

/// Adds what is measured to the figures.
pub(crate) async fn measure(arena: &Arena, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let app = &arena.app;
    let ours = arena.contender(opening(app.fridges_of(&app.frontend(), FRIDGES).await), &PARTS)?;
    let floor = arena.floor_contender(arena.floor_creation(SALES), &[Part::Temporal])?;
    warm_up(&ours, &floor, WARM_UP).await?;
    let calls = cost::calls(app, &ours.target, COUNTED).await?;
    figures.costs.extend(sale_costs(app, calls).await);
    figures.costs.push(floor_cost(arena, &floor.target).await?);
    let contests = [
        ("Opening a fridge, one at a time", Load::closed(1, plan.opens)),
        ("Opening a fridge, 16 in flight", Load::closed(IN_FLIGHT, plan.parallel_opens)),
    ];
    figures.comparisons.extend(compare(&contests, plan.rounds, &ours, &floor).await?);
    figures.notes.push(NOTE);
    figures.crowd = Some(crowd(arena, plan.crowd).await?);
    Ok(())
}

/// Each fridge again and again, and each sale to its end before its fridge has its next turn.
fn opening(fridges: Vec<Fridge>) -> Target {
    let fridges = Arc::new(fridges);
    let all = Arc::clone(&fridges);
    let request = move |number| {
        let fridge = in_turn(&all, number);
        fridge.opening(&Uuid::new_v4().to_string(), &fridge.order())
    };
    let settle = move |number| {
        let fridge = in_turn(&fridges, number).clone();
        async move { end(&fridge).await }.boxed()
    };
    Target::new(StatusCode::CREATED, request).settling(settle)
}

fn in_turn(fridges: &[Fridge], number: u64) -> &Fridge {
    &fridges[usize::try_from(number).unwrap_or_default() % fridges.len()]
}

/// Brings the latest sale of a fridge to its end, as Vendron does when nothing was taken.
async fn end(fridge: &Fridge) {
    let path = format!("/transactions/search?machine_id={}&limit=1", fridge.id());
    let cancelled = || async {
        if fridge.view().await["session"].is_string() {
            fridge.give_up().await;
        }
        fridge.frontend().get(&path).await.body["items"][0]["status"].clone()
    };
    // The next request of the fridge fails where this one does not end, and is counted as failed.
    let _unended = within(PATIENCE, cancelled, is_final).await;
}

fn is_final(status: &Value) -> bool {
    ["completed", "empty", "failed", "unresolved"].iter().any(|end| status == end)
}

/// One sale until its door is open, and one with a few products to its end.
async fn sale_costs(app: &TestApp, calls: BTreeMap<String, f64>) -> [Cost; 2] {
    let fridge = app.fridge().await;
    let sale = fridge.open().await;
    let name = "One fridge sale at Temporal, until its door is open; the calls are those of a whole one";
    let opened = cost::of(app, name, &workflow_id(sale.sale_ref), calls).await;
    for _ in 0..5 {
        fridge.take(&[soup()]).await;
    }
    fridge.close().await;
    let history = eventually("the run to close", || sale.history(), History::is_closed).await;
    [opened, cost::of_history("One fridge sale at Temporal, to its end", &history, BTreeMap::new())]
}

async fn floor_cost(arena: &Arena, target: &Target) -> Result<Cost> {
    let calls = cost::calls(&arena.app, target, COUNTED).await?;
    let id = cost::one(new_note(arena.app.http(), &arena.floor.url(SALES)), "id").await?;
    let temporal = arena.app.temporal().await;
    let workflow_id = floor::sale_workflow_id(id);
    let history = eventually("the run to close", || History::fetch(&temporal, &workflow_id), History::is_closed).await;
    Ok(cost::of_history("One sale of the floor, to its end", &history, calls))
}

/// So many fridges, opened at once, all of them open at the same time, and a product taken out of each.
async fn crowd(arena: &Arena, sales: usize) -> Result<Crowd> {
    let fridges = arena.app.fridges_of(&arena.app.frontend(), sales).await;
    let before = arena.memory_of(Part::Worker)?;
    let began = Instant::now();
    let opened = join_all(fridges.iter().map(open)).await;
    let mut opens = Sample::new()?;
    for (sale, took) in &opened {
        opens.add(*took, sale.answer.status == StatusCode::CREATED);
    }
    let opens = opens.finish(began.elapsed());
    let open = arena.memory_of(Part::Worker)?;
    let ends = join_all(fridges.iter().zip(&opened).map(|(fridge, (sale, _))| sell(fridge, sale))).await;
    let completed = ends.iter().filter(|status| *status == "completed").count();
    let worker = [before, open, arena.memory_of(Part::Worker)?];
    let opens = Side::of(&[Turn { sample: opens, processor_seconds: Vec::new() }])?;
    Ok(Crowd { sales, opens, completed, worker })
}

/// Opens a fridge, however often that has to be asked. What it took.
async fn open(fridge: &Fridge) -> (Sale, Duration) {
    let asked = Instant::now();
    (fridge.try_to_open(fridge.id()).await, asked.elapsed())
}

/// How a sale ends whose buyer takes a soup and closes the door.
async fn sell(fridge: &Fridge, sale: &Sale) -> Value {
    if sale.answer.status == StatusCode::CREATED {
        fridge.take(&[soup()]).await;
        fridge.close().await;
    }
    let status = || async { sale.read().await.body["status"].take() };
    within(PATIENCE, status, is_final).await.unwrap_or_else(|last| last)
}

fn soup() -> Value {
    product("1", "Soupe", "4.50")
}
