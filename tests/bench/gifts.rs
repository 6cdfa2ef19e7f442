//! Gifts beside a bare process with one step that does nothing: using one, what that costs at Temporal, and whether the
//! time of a refusal tells what was wrong.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use anyhow::{Result, ensure};
use reqwest::StatusCode;
use stack::Part;
use system_tests::{Account, History, PinWork, Shop, TestApp, eventually, new_gift_id};
use uuid::Uuid;
use workflows::gifts::redemption_workflow_id;

use crate::{
    arena::{Arena, new_note},
    compare::{Contender, IN_FLIGHT, Load, compare, warm_up},
    cost,
    figures::{Cost, Figures, Guesses, Side, Turn},
    floor,
    load::{Sample, Target},
    plan::Plan,
};

const PARTS: [Part; 4] = [Part::Api, Part::Worker, Part::Temporal, Part::Postgres];
/// Where the floor uses gifts.
const GIFTS: &str = "/gifts";
/// Of each of two suppliers: a till each, so that no guard has to wait for another request.
const PINS: [&str; 4] = ["1001", "1002", "1003", "1004"];
const SUPPLIERS: usize = 2;
const WRONG: &str = "9999";
/// Uses that no figure is of.
const WARM_UP: usize = IN_FLIGHT * 10;
/// Uses whose calls are counted, one at a time.
const COUNTED: u32 = 50;

const NOTE: &str = "\
A use of ours looks the key up, counts the attempt, looks at the PIN, settles the count and then runs; the floor runs a
step that does nothing. With a PIN of little work (argon2id over 8 KiB, once) the first is compared without what argon2
costs; with one of usual work (19 MiB, twice) what it costs is the difference between the two.";

/// A device that knows a PIN.
type Till = (Shop, Account);

/// Adds what is measured to the figures.
pub(crate) async fn measure(arena: &Arena, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let app = &arena.app;
    let enough = usize::try_from(plan.all_uses(plan.uses + plan.parallel_uses) + u64::from(COUNTED))? + WARM_UP;
    let usual = usize::try_from(plan.all_uses(plan.uses))? + WARM_UP;
    let ours = arena.contender(using(app, PinWork::Little, enough), &PARTS)?;
    let with_work = arena.contender(using(app, PinWork::Usual, usual), &PARTS)?;
    let floor = arena.floor_contender(arena.floor_creation(GIFTS), &[Part::Temporal])?;
    sqlx::query("vacuum analyze").execute(&app.database().await).await?;
    warm_up(&ours, &floor, WARM_UP).await?;
    warm_up(&with_work, &floor, WARM_UP).await?;
    figures.costs.push(use_cost(app, &ours.target).await?);
    figures.costs.push(floor_cost(arena, &floor.target).await?);
    contests(plan, (&ours, &with_work), &floor, figures).await?;
    figures.notes.push(NOTE);
    figures.guesses = Some(guesses(app, plan.guesses).await?);
    Ok(())
}

async fn contests(
    plan: &Plan,
    (ours, with_work): (&Contender, &Contender),
    floor: &Contender,
    figures: &mut Figures,
) -> Result<()> {
    let loads = [
        ("Use of a gift with a PIN of little work, one at a time", Load::closed(1, plan.uses)),
        ("Use of a gift with a PIN of little work, 16 in flight", Load::closed(IN_FLIGHT, plan.parallel_uses)),
    ];
    figures.comparisons.extend(compare(&loads, plan.rounds, ours, floor).await?);
    let loads = [("Use of a gift with a PIN of usual work, one at a time", Load::closed(1, plan.uses))];
    figures.comparisons.extend(compare(&loads, plan.rounds, with_work, floor).await?);
    Ok(())
}

fn tills(app: &TestApp, work: PinWork) -> Vec<Till> {
    let mut tills = Vec::new();
    for _ in 0..SUPPLIERS {
        let supplier = app.supplier_with(work, &PINS);
        tills.extend(supplier.accounts().iter().map(|account| (supplier.device(), account.clone())));
    }
    tills
}

/// Each gift is good for one request, so that requests are counted over all rounds. One too many would fail.
fn using(app: &TestApp, work: PinWork, gifts: usize) -> Target {
    let (tills, gifts, next) = (tills(app, work), app.gifts(gifts), AtomicUsize::new(0));
    Target::new(StatusCode::OK, move |_| {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        let (shop, account) = &tills[nth % tills.len()];
        shop.using(&Uuid::new_v4().to_string(), &gifts[nth % gifts.len()], account)
    })
}

async fn use_cost(app: &TestApp, target: &Target) -> Result<Cost> {
    let calls = cost::calls(app, target, COUNTED).await?;
    let supplier = app.supplier(&["1001"]);
    let shop = supplier.device();
    let used = shop.ask_to_use("used", &app.gift(), supplier.account(0)).await;
    ensure!(used.status == StatusCode::OK, "the gift was not used: {used:?}");
    let history = closed(app, &redemption_workflow_id(shop.redemption_id("used"))).await;
    Ok(cost::of_history("One use of a gift at Temporal, to its end", &history, calls))
}

async fn floor_cost(arena: &Arena, target: &Target) -> Result<Cost> {
    let calls = cost::calls(&arena.app, target, COUNTED).await?;
    let id = cost::one(new_note(arena.app.http(), &arena.floor.url(GIFTS)), "id").await?;
    let history = closed(&arena.app, &floor::gift_workflow_id(id)).await;
    Ok(cost::of_history("One use of a gift of the floor, to its end", &history, calls))
}

async fn closed(app: &TestApp, workflow_id: &str) -> History {
    let temporal = app.temporal().await;
    eventually("the run to close", || History::fetch(&temporal, workflow_id), History::is_closed).await
}

/// So many wrong numbers and wrong PINs, in turns, at a supplier with four accounts whose PINs are usual work.
async fn guesses(app: &TestApp, tries: u64) -> Result<Guesses> {
    let supplier = app.supplier_with(PinWork::Usual, &PINS);
    let (shop, right) = (supplier.device(), supplier.account(0));
    let nobodys = Account { number: "9".to_owned(), pin: right.pin.clone() };
    let (number, pin) = (refused(&shop, nobodys), refused(&shop, right.with_pin(WRONG)));
    // A right PIN for a gift that is not there: the guesses before are forgotten, so that none of them locks.
    let forget = refused(&shop, right.clone());
    let (mut numbers, mut pins, began) = (Sample::new()?, Sample::new()?, Instant::now());
    for nth in 0..tries {
        if nth % 2 == 0 {
            time(&number, &mut numbers).await;
            time(&pin, &mut pins).await;
        } else {
            time(&pin, &mut pins).await;
            time(&number, &mut numbers).await;
        }
        ensure!(forget.send(nth).await, "a right PIN was not looked at");
    }
    let [number, pin] = [numbers, pins].map(|sample| sample.finish(began.elapsed()));
    let p50_ratio = pin.quantile(0.5) / number.quantile(0.5);
    Ok(Guesses { number: side(number)?, pin: side(pin)?, p50_ratio })
}

/// Uses of gifts that are not there.
fn refused(shop: &Shop, account: Account) -> Target {
    let shop = shop.clone();
    let request = move |_| shop.using(&Uuid::new_v4().to_string(), &new_gift_id(), &account);
    Target::new(StatusCode::BAD_REQUEST, request)
}

async fn time(target: &Target, sample: &mut Sample) {
    let sent = Instant::now();
    let was_refused = target.send(0).await;
    sample.add(sent.elapsed(), was_refused);
}

fn side(sample: Sample) -> Result<Side> {
    Side::of(&[Turn { sample, processor_seconds: Vec::new() }])
}
