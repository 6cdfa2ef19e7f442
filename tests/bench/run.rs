use anyhow::{Context, Result};
use reqwest::{Method, StatusCode};
use serde_json::json;
use stack::{Part, Settings};
use system_tests::{Merchant, TestApp, eventually};
use uuid::Uuid;

use crate::{
    compare::{Contender, Contest, Load},
    conditions, cost,
    figures::{Comparison, Cost, Figures},
    floor::{self, Floor},
    load::Target,
    plan::Plan,
    processes::Watched,
};

const IN_FLIGHT: usize = 16;
/// Read in turn, so that no single row is hot.
const ROWS: usize = 64;
/// Creations whose calls are counted, one at a time.
const COUNTED: u32 = 50;

/// The servers, ours and the floor.
struct Arena {
    app: TestApp,
    merchant: Merchant,
    floor: Floor,
}

/// Starts everything, measures and stops everything.
pub(crate) async fn run(plan: &Plan) -> Result<Figures> {
    let arena = Arena::open(plan).await?;
    let (create, create_floor) = (arena.contender(arena.creation())?, arena.floor_contender(arena.floor_creation())?);
    warm_up(&create, &create_floor, IN_FLIGHT * 20).await?;
    let invoice = arena.invoice_cost(&create.target).await?;
    let note = arena.note_cost(&create_floor.target).await?;
    let mut comparisons = arena.creations(plan, &create, &create_floor).await?;
    comparisons.extend(arena.reads(plan).await?);
    let memory = arena.ours_and_floor()?.iter().map(Watched::memory).collect::<Result<_>>()?;
    let conditions = conditions::conditions(&arena.app, plan.rounds).await?;
    Ok(Figures { conditions, comparisons, invoice, floor: note, memory })
}

async fn warm_up(ours: &Contender, floor: &Contender, requests: usize) -> Result<()> {
    let load = Load::closed(IN_FLIGHT, u64::try_from(requests)?);
    Contest { name: "warm-up", load, ours, floor }.run(1).await?;
    Ok(())
}

impl Arena {
    async fn open(plan: &Plan) -> Result<Self> {
        let app = TestApp::isolated(Settings::isolated()).await;
        let merchant = app.merchant();
        app.fill_pool(&merchant, plan.addresses()).await;
        sqlx::query("vacuum analyze").execute(&app.database().await).await?;
        let floor = Floor::start(&app).await?;
        let arena = Self { app, merchant, floor };
        let first = arena.floor_creation();
        eventually("the floor", || first.send(0), |answered| *answered).await;
        Ok(arena)
    }

    async fn creations(&self, plan: &Plan, ours: &Contender, floor: &Contender) -> Result<Vec<Comparison>> {
        let loads = [
            ("Creation, one at a time", Load::closed(1, plan.creations)),
            ("Creation, 16 in flight", Load::closed(IN_FLIGHT, plan.parallel_creations)),
            ("Creation at a fixed rate", Load::open(plan.creation_rate, plan.seconds)),
        ];
        compare(&loads, plan.rounds, ours, floor).await
    }

    async fn reads(&self, plan: &Plan) -> Result<Vec<Comparison>> {
        let ours = self.contender(self.reading().await?)?;
        let floor = self.floor_contender(self.floor_reading().await?)?;
        warm_up(&ours, &floor, 1000).await?;
        let loads = [
            ("Reading one, one at a time", Load::closed(1, plan.reads / 3)),
            ("Reading one, 16 in flight", Load::closed(IN_FLIGHT, plan.reads)),
            ("Reading one at a fixed rate", Load::open(plan.read_rate, plan.seconds)),
        ];
        compare(&loads, plan.rounds, &ours, &floor).await
    }

    fn creation(&self) -> Target {
        let merchant = self.merchant.clone();
        Target::new(StatusCode::CREATED, move |_| new_invoice(&merchant))
    }

    fn floor_creation(&self) -> Target {
        let (http, url) = (self.app.http().clone(), self.floor.url("/notes"));
        Target::new(StatusCode::CREATED, move |_| new_note(&http, &url))
    }

    async fn reading(&self) -> Result<Target> {
        let mut paths = Vec::new();
        for _ in 0..ROWS {
            let id = cost::one(new_invoice(&self.merchant), "invoice_id").await?;
            paths.push(format!("/invoices/{id}"));
        }
        let merchant = self.merchant.clone();
        Ok(Target::new(StatusCode::OK, move |number| merchant.request(Method::GET, in_turn(&paths, number))))
    }

    async fn floor_reading(&self) -> Result<Target> {
        let (http, url) = (self.app.http().clone(), self.floor.url("/notes"));
        let mut urls = Vec::new();
        for _ in 0..ROWS {
            urls.push(format!("{url}/{}", cost::one(new_note(&http, &url), "id").await?));
        }
        Ok(Target::new(StatusCode::OK, move |number| http.get(in_turn(&urls, number))))
    }

    async fn invoice_cost(&self, target: &Target) -> Result<Cost> {
        let calls = cost::calls(&self.app, target, COUNTED).await?;
        let id = cost::one(new_invoice(&self.merchant), "invoice_id").await?;
        Ok(cost::of(&self.app, &workflows::invoices::workflow_id(id), calls).await)
    }

    async fn note_cost(&self, target: &Target) -> Result<Cost> {
        let calls = cost::calls(&self.app, target, COUNTED).await?;
        let id = cost::one(new_note(self.app.http(), &self.floor.url("/notes")), "id").await?;
        Ok(cost::of(&self.app, &floor::workflow_id(id), calls).await)
    }

    fn contender(&self, target: Target) -> Result<Contender> {
        let processes = [self.part("api", Part::Api)?, self.part("worker", Part::Worker)?];
        Ok(Contender { target, processes: processes.into_iter().chain(self.servers()?).collect() })
    }

    fn floor_contender(&self, target: Target) -> Result<Contender> {
        let [api, worker] = self.floor.pids()?;
        let processes = [Watched { name: "floor api", pid: api }, Watched { name: "floor worker", pid: worker }];
        Ok(Contender { target, processes: processes.into_iter().chain(self.servers()?).collect() })
    }

    fn servers(&self) -> Result<[Watched; 2]> {
        Ok([self.part("temporal", Part::Temporal)?, self.part("postgres", Part::Postgres)?])
    }

    fn ours_and_floor(&self) -> Result<Vec<Watched>> {
        let [api, worker] = self.floor.pids()?;
        Ok(vec![
            self.part("api", Part::Api)?,
            self.part("worker", Part::Worker)?,
            Watched { name: "floor api", pid: api },
            Watched { name: "floor worker", pid: worker },
            self.part("temporal", Part::Temporal)?,
        ])
    }

    fn part(&self, name: &'static str, part: Part) -> Result<Watched> {
        let pid = self.app.stack().pid(part).with_context(|| format!("{part} has ended"))?;
        Ok(Watched { name, pid })
    }
}

async fn compare(
    loads: &[(&'static str, Load)],
    rounds: usize,
    ours: &Contender,
    floor: &Contender,
) -> Result<Vec<Comparison>> {
    let mut comparisons = Vec::new();
    for (name, load) in loads {
        comparisons.push(Contest { name, load: *load, ours, floor }.run(rounds).await?);
    }
    Ok(comparisons)
}

fn new_invoice(merchant: &Merchant) -> reqwest::RequestBuilder {
    let request = merchant.request(Method::POST, "/invoices");
    request.header("Idempotency-Key", Uuid::new_v4().to_string()).json(&Merchant::invoice())
}

fn new_note(http: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
    http.post(url).json(&json!({ "text": "12.50 usdt on tron within 900 seconds" }))
}

fn in_turn(addresses: &[String], number: u64) -> &str {
    let index = usize::try_from(number).unwrap_or_default() % addresses.len();
    &addresses[index]
}
