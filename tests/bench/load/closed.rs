//! So many in flight, each asking again when it is answered: how much the system can do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{Sample, Target};

/// Bounds of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closed {
    pub(crate) in_flight: usize,
    pub(crate) requests: u64,
    pub(crate) at_most: Duration,
}

/// One round.
pub(crate) async fn run(target: &Target, round: Closed) -> anyhow::Result<Sample> {
    let (started, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    for _ in 0..round.in_flight {
        clients.spawn(client(target.clone(), round, started, Arc::clone(&next)));
    }
    let mut all = Sample::new()?;
    while let Some(sample) = clients.join_next().await {
        all.merge(&sample??)?;
    }
    Ok(all.finish(started.elapsed()))
}

async fn client(target: Target, round: Closed, started: Instant, next: Arc<AtomicU64>) -> anyhow::Result<Sample> {
    let mut sample = Sample::new()?;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= round.requests || started.elapsed() >= round.at_most {
            return Ok(sample);
        }
        let sent = Instant::now();
        let succeeded = target.send(number).await;
        sample.add(sent.elapsed(), succeeded);
        target.settle(number).await;
    }
}
