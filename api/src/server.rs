//! Serving HTTP with bounds that `axum::serve` does not have, and ending well.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// How long running requests may take to end at a shutdown.
const DRAIN: Duration = Duration::from_secs(20);
const CONNECTIONS: usize = 10_000;
/// Without a pause a process that is out of file descriptors would only turn in circles.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping`, then lets running requests end.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let running = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            // Without a sender the process is ending as well.
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, permit)) => {
                tokio::spawn(connection(stream, router.clone(), running.watcher(), permit));
            }
            Err(error) => {
                tracing::warn!(%error, "api.connection.not_accepted");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    if timeout(DRAIN, running.shutdown()).await.is_err() {
        tracing::warn!("api.shutdown.requests_cut_off");
    }
}

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

async fn connection(stream: TcpStream, router: Router, watcher: Watcher, permit: OwnedSemaphorePermit) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "api.connection.broken");
    }
    drop(permit);
}
