//! A fixed rate, whatever the answers take. Time counts from when a request was due: a system that stalls is charged for
//! every request that it kept waiting, not only for the one that it stalled on.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    task::{JoinSet, spawn_blocking},
};

use super::{Sample, Target};

/// Requests of one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub(crate) per_second: u32,
    pub(crate) requests: u32,
}

/// One round.
pub(crate) async fn run(target: &Target, round: Open) -> anyhow::Result<Sample> {
    let (target, runtime) = (target.clone(), Handle::current());
    let started = Instant::now();
    // The runtime's timers are a millisecond coarse, which is longer than many an answer takes.
    let mut requests = spawn_blocking(move || send_all(&target, round, started, &runtime)).await?;
    let mut sample = Sample::new()?;
    while let Some(answered) = requests.join_next().await {
        let (latency, succeeded) = answered?;
        sample.add(latency, succeeded);
    }
    Ok(sample.finish(started.elapsed()))
}

fn send_all(target: &Target, round: Open, started: Instant, runtime: &Handle) -> JoinSet<(Duration, bool)> {
    let pause = Duration::from_secs(1) / round.per_second;
    let mut requests = JoinSet::new();
    for number in 0..round.requests {
        let due = started + pause * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let target = target.clone();
        let send = async move {
            let succeeded = target.send(number.into()).await;
            (due.elapsed(), succeeded)
        };
        requests.spawn_on(send, runtime);
    }
    requests
}
