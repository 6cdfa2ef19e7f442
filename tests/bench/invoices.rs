//! Invoices beside the floor: creating one, reading one, and what a creation costs at Temporal.

use anyhow::Result;
use reqwest::{Method, RequestBuilder, StatusCode};
use stack::Part;
use system_tests::Merchant;
use uuid::Uuid;
use workflows::invoices::workflow_id;

use crate::{
    arena::{Arena, new_note},
    compare::{Contender, IN_FLIGHT, Load, compare, warm_up},
    cost,
    figures::{Comparison, Cost, Figures},
    floor,
    load::{Target, in_turn},
    plan::Plan,
};

const PARTS: [Part; 4] = [Part::Api, Part::Worker, Part::Temporal, Part::Postgres];
const SERVERS: [Part; 2] = [Part::Temporal, Part::Postgres];
/// Where the floor creates.
const NOTES: &str = "/notes";
/// Read in turn, so that no single row is hot.
const ROWS: usize = 64;
/// Creations whose calls are counted, one at a time.
const COUNTED: u32 = 50;

/// Adds what is measured to the figures.
pub(crate) async fn measure(arena: &Arena, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let merchant = arena.app.merchant();
    arena.app.fill_pool(&merchant, plan.addresses()).await;
    sqlx::query("vacuum analyze").execute(&arena.app.database().await).await?;
    let ours = arena.contender(creation(&merchant), &PARTS)?;
    let floor = arena.floor_contender(arena.floor_creation(NOTES), &SERVERS)?;
    warm_up(&ours, &floor, IN_FLIGHT * 20).await?;
    figures.costs.push(invoice_cost(arena, &merchant, &ours.target).await?);
    figures.costs.push(note_cost(arena, &floor.target).await?);
    figures.comparisons.extend(creations(plan, &ours, &floor).await?);
    figures.comparisons.extend(reads(arena, &merchant, plan).await?);
    Ok(())
}

async fn creations(plan: &Plan, ours: &Contender, floor: &Contender) -> Result<Vec<Comparison>> {
    let loads = [
        ("Creation, one at a time", Load::closed(1, plan.creations)),
        ("Creation, 16 in flight", Load::closed(IN_FLIGHT, plan.parallel_creations)),
        ("Creation at a fixed rate", Load::open(plan.creation_rate, plan.seconds)),
    ];
    compare(&loads, plan.rounds, ours, floor).await
}

async fn reads(arena: &Arena, merchant: &Merchant, plan: &Plan) -> Result<Vec<Comparison>> {
    let ours = arena.contender(reading(merchant).await?, &PARTS)?;
    let floor = arena.floor_contender(floor_reading(arena).await?, &SERVERS)?;
    warm_up(&ours, &floor, 1000).await?;
    let loads = [
        ("Reading one, one at a time", Load::closed(1, plan.reads / 3)),
        ("Reading one, 16 in flight", Load::closed(IN_FLIGHT, plan.reads)),
        ("Reading one at a fixed rate", Load::open(plan.read_rate, plan.seconds)),
    ];
    compare(&loads, plan.rounds, &ours, &floor).await
}

fn creation(merchant: &Merchant) -> Target {
    let merchant = merchant.clone();
    Target::new(StatusCode::CREATED, move |_| new_invoice(&merchant))
}

async fn reading(merchant: &Merchant) -> Result<Target> {
    let mut paths = Vec::new();
    for _ in 0..ROWS {
        let id = cost::one(new_invoice(merchant), "invoice_id").await?;
        paths.push(format!("/invoices/{id}"));
    }
    let merchant = merchant.clone();
    Ok(Target::new(StatusCode::OK, move |number| merchant.request(Method::GET, in_turn(&paths, number))))
}

async fn floor_reading(arena: &Arena) -> Result<Target> {
    let (http, url) = (arena.app.http().clone(), arena.floor.url(NOTES));
    let mut urls = Vec::new();
    for _ in 0..ROWS {
        urls.push(format!("{url}/{}", cost::one(new_note(&http, &url), "id").await?));
    }
    Ok(Target::new(StatusCode::OK, move |number| http.get(in_turn(&urls, number))))
}

async fn invoice_cost(arena: &Arena, merchant: &Merchant, target: &Target) -> Result<Cost> {
    let calls = cost::calls(&arena.app, target, COUNTED).await?;
    let id = cost::one(new_invoice(merchant), "invoice_id").await?;
    Ok(cost::of(&arena.app, "One invoice at Temporal, until it is answered", &workflow_id(id), calls).await)
}

async fn note_cost(arena: &Arena, target: &Target) -> Result<Cost> {
    let calls = cost::calls(&arena.app, target, COUNTED).await?;
    let id = cost::one(new_note(arena.app.http(), &arena.floor.url(NOTES)), "id").await?;
    Ok(cost::of(&arena.app, "One note of the floor", &floor::workflow_id(id), calls).await)
}

fn new_invoice(merchant: &Merchant) -> RequestBuilder {
    let request = merchant.request(Method::POST, "/invoices");
    request.header("Idempotency-Key", Uuid::new_v4().to_string()).json(&Merchant::invoice())
}
