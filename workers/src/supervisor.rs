//! Keeps every process running until the whole worker is told to stop.

use std::{sync::Arc, thread, time::Duration};

use anyhow::{Context, anyhow};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};

use crate::{
    health::{self, Health},
    process, relay,
    settings::{Process, WorkerSettings},
};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Runs every process of `settings` until SIGTERM or SIGINT, then lets running work end.
pub async fn run(settings: WorkerSettings) -> anyhow::Result<()> {
    settings.temporal.key_ring().context("no worker starts without its payload keys")?;
    process::check(&settings)?;
    let settings = Arc::new(settings);
    let (stop, stopping) = watch::channel(false);
    let health = Arc::new(Health::new(&settings).await?);
    let serving = tokio::spawn(health::serve(settings.listen, Arc::clone(&health), stopping.clone()));
    let threads: Vec<_> = settings
        .processes
        .iter()
        .map(|process| spawn(*process, Arc::clone(&settings), Arc::clone(&health), stopping.clone()))
        .collect::<anyhow::Result<_>>()?;
    let relaying = tokio::spawn(relay::run(Arc::clone(&settings), stopping));

    tokio::select! {
        signal = program::stop_signal() => signal?,
        // Without its port nobody can see whether this worker lives: better not to start at all.
        served = serving => return served.context("the health server panicked")?,
    }
    tracing::info!("stopping: running work may end");
    stop.send_replace(true);
    for ended in threads {
        ended.await.map_err(|_| anyhow!("the thread of a process died"))?;
    }
    relaying.await.context("the relay panicked")
}

fn spawn(
    process: Process,
    settings: Arc<WorkerSettings>,
    health: Arc<Health>,
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<oneshot::Receiver<()>> {
    on_its_own_thread(process.name(), move || async move { supervise(process, &settings, &health, stopping).await })
}

/// Workflow code is bound to one thread: each process has its own. Its activities are spawned, and run on the threads that
/// all processes share. Beside the workflows each would wait for them whenever it yields, and a login to Postgres yields
/// hundreds of times: in a burst there may be no connection for minutes.
fn on_its_own_thread<F: Future<Output = ()>>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> anyhow::Result<oneshot::Receiver<()>> {
    let (ended, end) = oneshot::channel();
    let runtime = Handle::current();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        runtime.block_on(work());
        // The other side only waits for the end of this thread.
        let _nobody_waits = ended.send(());
    })?;
    Ok(end)
}

/// Starts the process again whenever it ends by itself, with growing pauses.
async fn supervise(process: Process, settings: &WorkerSettings, health: &Health, mut stopping: watch::Receiver<bool>) {
    let mut pause = FIRST_PAUSE;
    while !*stopping.borrow() {
        match run_once(process, settings, health, stopping.clone()).await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => tracing::error!(process = process.name(), error = format!("{error:#}"), "the process ended"),
        }
        health.set_running(process, false);
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

async fn run_once(
    process: Process,
    settings: &WorkerSettings,
    health: &Health,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let client = settings.temporal.connect().await?;
    let mut worker = process::worker(process, settings, client).await?;
    let shut_down = worker.shutdown_handle();
    tokio::spawn(async move {
        if stopping.wait_for(|stop| *stop).await.is_ok() {
            shut_down();
        }
    });
    health.set_running(process, true);
    tracing::info!(process = process.name(), "polling for work");
    Ok(worker.run().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Option<String> {
        thread::current().name().map(str::to_owned)
    }

    async fn look(told: oneshot::Sender<[Option<String>; 2]>) {
        let elsewhere = tokio::spawn(async { here() }).await.unwrap();
        told.send([here(), elsewhere]).unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_process_has_a_thread_and_what_it_spawns_runs_on_others() {
        let (told, heard) = oneshot::channel();
        on_its_own_thread("gifts", || look(told)).unwrap().await.unwrap();
        let [its_own, elsewhere] = heard.await.unwrap();
        assert_eq!(its_own.as_deref(), Some("gifts"));
        assert_ne!(elsewhere, its_own);
    }
}
