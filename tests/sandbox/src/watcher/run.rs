//! The watcher's loop.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::deliver::{self, Attempt, Sent, Verdict};
use super::{Next, Waiting};
use crate::faults::{Fault, Hit, Strike, System};
use crate::state::{Sandbox, World};

/// Observations that go in one request.
struct Parcel {
    strike: Option<Strike>,
    sent: Vec<Sent>,
}

enum Step {
    Send(Vec<Parcel>),
    Sleep(Option<Instant>),
}

/// Reports for ever; dropping it loses nothing, for what was not confirmed is queued again at the next start.
pub(crate) async fn run(sandbox: Arc<Sandbox>) {
    // What a fault hit travels on its own, so that it does not keep the rest from arriving.
    let mut detours = JoinSet::new();
    loop {
        while detours.try_join_next().is_some() {}
        match next_step(&sandbox) {
            Step::Sleep(until) => sleep(&sandbox, until).await,
            Step::Send(parcels) => dispatch(&sandbox, parcels, &mut detours).await,
        }
    }
}

async fn dispatch(sandbox: &Arc<Sandbox>, parcels: Vec<Parcel>, detours: &mut JoinSet<()>) {
    for parcel in parcels {
        let is_detour = parcel.strike.is_some();
        let delivery = deliver(Arc::clone(sandbox), parcel);
        if is_detour {
            detours.spawn(delivery);
        } else {
            delivery.await;
        }
    }
}

async fn sleep(sandbox: &Sandbox, until: Option<Instant>) {
    let Some(until) = until else {
        return sandbox.work.notified().await;
    };
    // Either way there is something to look at.
    let _ = tokio::time::timeout_at(until, sandbox.work.notified()).await;
}

fn next_step(sandbox: &Sandbox) -> Step {
    let released = sandbox.subscribe_to_release();
    let taken = sandbox.change_quietly(|world| match world.queue.take(Instant::now(), &world.pauses) {
        Next::Sleep(until) => Err(until),
        Next::Send(batch) => Ok(split(world, batch)),
    });
    match taken {
        Err(until) => Step::Sleep(until),
        Ok(parts) => Step::Send(
            parts
                .into_iter()
                .map(|(hit, sent)| Parcel { strike: hit.map(|hit| Strike::new(hit, released.clone())), sent })
                .collect(),
        ),
    }
}

/// Gives each fault the observations that it hits; what is left goes together.
fn split(world: &mut World, batch: Vec<Waiting>) -> Vec<(Option<Hit>, Vec<Sent>)> {
    let mut rest: Vec<Sent> = batch.into_iter().filter_map(|waiting| load(world, waiting)).collect();
    let mut parts = Vec::new();
    while let Some((hit, fault)) = strike(world, &rest) {
        let (struck, spared) = rest.into_iter().partition(|sent| is_hit(&fault, sent));
        parts.push((Some(hit), struck));
        rest = spared;
    }
    if !rest.is_empty() {
        parts.push((None, rest));
    }
    parts
}

fn load(world: &World, waiting: Waiting) -> Option<Sent> {
    let transaction = world.chain(waiting.key.network).transaction(&waiting.key.tx_id)?;
    let observation = transaction.observation(waiting.key.index)?;
    Some(Sent { waiting, observation })
}

fn strike(world: &mut World, sent: &[Sent]) -> Option<(Hit, Fault)> {
    let is_hit_by = |fault: &Fault| sent.iter().any(|sent| is_hit(fault, sent));
    let struck = world.faults.strike_where(System::Watcher, "report", is_hit_by)?;
    world.save_faults();
    Some(struck)
}

fn is_hit(fault: &Fault, sent: &Sent) -> bool {
    fault.matches(&[&sent.observation.address, &sent.observation.tx_id])
}

async fn deliver(sandbox: Arc<Sandbox>, mut parcel: Parcel) {
    let Some(reporter) = sandbox.reporter() else { return };
    let attempt = deliver::send(reporter, &parcel.sent, parcel.strike.as_mut()).await;
    if let Some(failure) = attempt.failure() {
        tracing::warn!(failure, observations = parcel.sent.len(), "watcher.report.failed");
    }
    sandbox.change_quietly(|world| settle(world, parcel.sent, &attempt));
    sandbox.work.notify_one();
}

fn settle(world: &mut World, batch: Vec<Sent>, attempt: &Attempt) {
    let results = attempt.answer.as_ref().map(deliver::results).unwrap_or_default();
    if let Ok(answer) = &attempt.answer {
        let observations: Vec<_> = batch.iter().map(|sent| &sent.observation).collect();
        deliver::record(world, &json!(observations), answer);
    }
    // From the back, for each failure is put in front of the queue: so they stay in order.
    for sent in batch.into_iter().rev() {
        match attempt.verdict(&results, &sent) {
            Verdict::Done => {
                let is_newer_waiting = world.delivered(&sent.waiting.key, sent.observation.version);
                world.queue.finish(sent.waiting, is_newer_waiting);
            }
            again => world.queue.retry(sent.waiting, Instant::now(), again == Verdict::AgainAlone),
        }
    }
}
