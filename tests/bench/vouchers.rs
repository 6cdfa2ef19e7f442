//! Vouchers: the download that draws one, beside the one that finds it kept.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use stack::Part;
use system_tests::Frontend;

use crate::{
    arena::Arena,
    compare::Load,
    figures::{Side, Turn, Vouchers},
    load::{Sample, Target, in_turn},
    purchases::{AT_ONCE, open_loan},
};

const PARTS: [Part; 3] = [Part::Api, Part::Postgres, Part::Aws];
/// Vouchers that no figure is of.
const WARM_UP: u64 = 5;

const NOTE: &str = "\
`drawn` and `kept` are whole downloads over HTTP. Each looks the code up by two reads of DynamoDB. The first draws the
voucher, keeps it in S3 and notes that in DynamoDB before it answers; the second gets it from S3. `draw` is the drawing
alone, as the API tells it in the header Server-Timing of the first.";

/// Downloads so many vouchers twice, one at a time.
pub(crate) async fn measure(arena: &Arena, frontend: &Frontend, vouchers: u64) -> Result<Vouchers> {
    let early = arena.contender(downloads(frontend, issue(arena, frontend, WARM_UP).await), &PARTS)?;
    for _ in 0..2 {
        early.turn(Load::closed(1, WARM_UP)).await?;
    }
    let ours = arena.contender(downloads(frontend, issue(arena, frontend, vouchers).await), &PARTS)?;
    let load = Load::closed(1, vouchers);
    let drawn = Side::of(&[ours.turn(load).await?])?;
    ensure_kept(arena, WARM_UP + vouchers).await?;
    let kept = Side::of(&[ours.turn(load).await?])?;
    let drawing = drawings(frontend, issue(arena, frontend, vouchers).await).await?;
    Ok(Vouchers { drawn, kept, drawing, note: NOTE })
}

/// How long the API says that it draws, one voucher at a time.
async fn drawings(frontend: &Frontend, paths: Vec<String>) -> Result<Side> {
    let (mut sample, began) = (Sample::new()?, Instant::now());
    for path in paths {
        let answer = frontend.request(Method::GET, &path).send().await?;
        let told = answer.headers().get("server-timing").and_then(|told| told.to_str().ok()?.strip_prefix("draw;dur="));
        let millis: f64 = told.context("the API does not tell how long it drew")?.parse()?;
        sample.add(Duration::from_secs_f64(millis / 1000.0), answer.status() == StatusCode::OK);
    }
    Side::of(&[Turn { sample: sample.finish(began.elapsed()), processor_seconds: Vec::new() }])
}

/// Codes whose vouchers nobody has asked for, by the paths of these.
async fn issue(arena: &Arena, frontend: &Frontend, codes: u64) -> Vec<String> {
    stream::iter(0..codes).map(|_| issue_one(arena, frontend)).buffer_unordered(AT_ONCE).collect().await
}

async fn issue_one(arena: &Arena, frontend: &Frontend) -> String {
    let purchase = frontend.issue(&open_loan(&arena.app).await).await;
    format!("{}/download", purchase.path())
}

fn downloads(frontend: &Frontend, paths: Vec<String>) -> Target {
    let frontend = frontend.clone();
    Target::new(StatusCode::OK, move |number| frontend.request(Method::GET, in_turn(&paths, number)))
}

/// Else the second download would draw too.
async fn ensure_kept(arena: &Arena, vouchers: u64) -> Result<()> {
    let kept = Box::pin(arena.app.aws().vouchers()).await.len();
    ensure!(u64::try_from(kept)? == vouchers, "{kept} vouchers are kept instead of {vouchers}");
    Ok(())
}
