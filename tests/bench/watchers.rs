//! Many who watch invoices at once on one API process: what they cost of its memory, and how soon they see a change.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use futures::{StreamExt, future::join_all, stream};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;
use stack::Part;
use system_tests::{Answer, Merchant, TestApp, eventually};
use tokio::{task::JoinHandle, time::Instant};
use uuid::Uuid;

use crate::{
    arena::Arena,
    compare::IN_FLIGHT,
    figures::{Figures, Side, Turn, Watchers},
    load::Sample,
    plan::Plan,
};

/// Each is watched by as many as any other.
const INVOICES: usize = 100;
/// The version of an invoice that nobody has paid to.
const NEW: &str = "1";
const PATIENCE: Duration = Duration::from_mins(2);

/// When a change was made, and when it was seen.
type Seen = (DateTime<Utc>, DateTime<Utc>);

/// Adds what is measured to the figures.
pub(crate) async fn measure(arena: &Arena, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let app = &arena.app;
    let merchant = app.merchant();
    app.fill_pool(&merchant, INVOICES).await;
    let create = async |_| merchant.create(&Merchant::invoice()).await;
    let invoices: Vec<Answer> = stream::iter(0..INVOICES).map(create).buffer_unordered(IN_FLIGHT).collect().await;
    let before = arena.memory_of(Part::Api)?;
    let began = Instant::now();
    let in_turn = || invoices.iter().map(Answer::invoice_id).cycle().take(plan.watchers);
    let streams: Vec<_> = in_turn().map(|id| tokio::spawn(stream_one(merchant.clone(), id))).collect();
    let polls: Vec<_> = in_turn().map(|id| tokio::spawn(poll_one(merchant.clone(), id))).collect();
    until_all_are_connected(app, streams.len() + polls.len()).await?;
    let open = arena.memory_of(Part::Api)?;
    for invoice in &invoices {
        app.pay("tron", "usdt", invoice.text("deposit_address"), "12.5").await;
    }
    figures.watchers = Some(Watchers {
        streams: seen_by(streams, began).await?,
        polls: seen_by(polls, began).await?,
        api: [before, open, arena.memory_of(Part::Api)?],
    });
    Ok(())
}

/// Waits until the API has a socket for each of them.
async fn until_all_are_connected(app: &TestApp, watchers: usize) -> Result<()> {
    let pid = app.stack().pid(Part::Api).context("the API has ended")?;
    let open = || async { fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count).unwrap_or_default() };
    eventually("all watchers to be connected", open, |open| *open >= watchers).await;
    Ok(())
}

/// Follows the stream of an invoice until the change after its creation.
async fn stream_one(merchant: Merchant, invoice_id: Uuid) -> Result<Seen> {
    let path = format!("/invoices/{invoice_id}/events");
    let mut stream =
        merchant.request(Method::GET, &path).header("Last-Event-ID", NEW).send().await?.error_for_status()?;
    let event = next_event(&mut stream).await?;
    let seen = Utc::now();
    Ok((time(&event["at"])?, seen))
}

/// The data of the next event of a stream; what only keeps it open is passed over.
async fn next_event(stream: &mut Response) -> Result<Value> {
    let mut text = String::new();
    loop {
        let chunk = stream.chunk().await?.context("the stream has ended")?;
        text.push_str(std::str::from_utf8(&chunk)?);
        let whole = text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n"));
        let data = whole.flat_map(str::lines).find_map(|line| line.strip_prefix("data:"));
        if let Some(data) = data {
            return Ok(serde_json::from_str(data.trim())?);
        }
    }
}

/// Asks for an invoice, holding on, until it has changed.
async fn poll_one(merchant: Merchant, invoice_id: Uuid) -> Result<Seen> {
    let path = format!("/invoices/{invoice_id}?wait=25s");
    loop {
        let request = merchant.request(Method::GET, &path).header(header::IF_NONE_MATCH, format!("\"{NEW}\""));
        let answer = Answer::to(request).await;
        let seen = Utc::now();
        match answer.status {
            StatusCode::NOT_MODIFIED => {}
            StatusCode::OK => return Ok((time(&answer.body["updated_at"])?, seen)),
            status => anyhow::bail!("{status}: {}", answer.body),
        }
    }
}

fn time(value: &Value) -> Result<DateTime<Utc>> {
    Ok(value.as_str().context("no time")?.parse()?)
}

async fn seen_by(watchers: Vec<JoinHandle<Result<Seen>>>, began: Instant) -> Result<Side> {
    let all = tokio::time::timeout(PATIENCE, join_all(watchers)).await.context("some watchers never saw a change")?;
    let mut sample = Sample::new()?;
    for seen in all {
        let (changed, seen) = seen??;
        sample.add((seen - changed).to_std().unwrap_or_default(), true);
    }
    ensure!(sample.succeeded() > 0, "nobody watched");
    Side::of(&[Turn { sample: sample.finish(began.elapsed()), processor_seconds: Vec::new() }])
}
