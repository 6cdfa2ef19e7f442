//! Serving HTTP with bounds that `axum::serve` does not have, and ending well.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use clap::Args;
use humantime::parse_duration;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
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

use crate::json::ReadTimeout;

/// What a client may cost.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Bounds {
    /// How long a client may take to send the head of a request, and again to send its body. A connection without a
    /// request is closed after the same time.
    #[arg(long = "read-timeout", env = "PERDURA_READ_TIMEOUT", default_value = "10s", value_parser = parse_duration)]
    read_timeout: Duration,
    /// How long a client may leave an answer untaken.
    #[arg(long = "write-timeout", env = "PERDURA_WRITE_TIMEOUT", default_value = "30s", value_parser = parse_duration)]
    write_timeout: Duration,
    /// Connections at once; more have to wait.
    #[arg(long = "connections", env = "PERDURA_CONNECTIONS", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
}

/// How long running requests may take to end at a shutdown.
const DRAIN: Duration = Duration::from_secs(20);
/// Without a pause a process that is out of file descriptors would only turn in circles.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping`, then lets running requests end.
pub(crate) async fn serve(listener: TcpListener, router: Router, bounds: Bounds, mut stopping: watch::Receiver<bool>) {
    let running = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(usize::try_from(bounds.connections).unwrap_or(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            // Without a sender the process is ending as well.
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                let (router, watcher) = (router.clone(), running.watcher());
                tokio::spawn(async move {
                    connection(stream, peer, (router, bounds), watcher).await;
                    drop(permit);
                });
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

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

async fn connection(stream: TcpStream, peer: SocketAddr, (router, bounds): (Router, Bounds), watcher: Watcher) {
    if let Err(error) = prepare(&stream, bounds) {
        tracing::debug!(%error, "api.connection.not_prepared");
    }
    let api = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(ReadTimeout(bounds.read_timeout));
        api.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.read_timeout)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "api.connection.broken");
    }
}

fn prepare(stream: &TcpStream, bounds: Bounds) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Nothing above the kernel can tell a client that takes an answer slowly from one that does not take it.
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(bounds.write_timeout))?;
    Ok(())
}
