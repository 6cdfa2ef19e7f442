//! The routes, and serving them until the process is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::access::{Access, Lock};
use crate::config::Settings;
use crate::connection::{Connections, Interim};
use crate::problem::Problem;
use crate::state::{Sandbox, Setup};
use crate::watcher::{self, Reporter};
use crate::{addresses, chains, ciam, control, mambu, slack, vendron};

/// Serves until SIGTERM or SIGINT; requests on their way are answered first, those that a fault holds are let go.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let sandbox = Arc::new(Sandbox::open(settings.state_dir.as_deref(), setup(&settings)?)?);
    let listener = listen(settings.listen).await?;
    let stopped = stop_signal(Arc::clone(&sandbox))?;
    // Dropped with this function, and the watcher with it.
    let mut watcher = JoinSet::new();
    if sandbox.reporter().is_some() {
        watcher.spawn(watcher::run(Arc::clone(&sandbox)));
    }
    let service = router(sandbox).into_make_service_with_connect_info::<Interim>();
    let served = axum::serve(Connections(listener), service).with_graceful_shutdown(stopped);
    Ok(served.await?)
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "sandbox.started");
    Ok(listener)
}

fn setup(settings: &Settings) -> anyhow::Result<Setup> {
    let mambu = Lock::read(settings.mambu_key_file.as_deref())?;
    let ciam = Lock::read(settings.ciam_key_file.as_deref())?;
    let vendron = Lock::read(settings.vendron_token_file.as_deref())?;
    let (reporter, offset) = (reporter(settings)?, settings.organisation_offset);
    Ok(Setup { reporter, access: Access { mambu, ciam, vendron }, offset })
}

fn reporter(settings: &Settings) -> anyhow::Result<Option<Reporter>> {
    let files = settings.watcher_key_file.clone().zip(settings.watcher_secret_file.clone());
    let Some((api_url, (key_file, secret_file))) = settings.api_url.as_ref().zip(files) else {
        return Ok(None);
    };
    Reporter::new(api_url, key_file, secret_file).map(Some)
}

fn stop_signal(sandbox: Arc<Sandbox>) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("sandbox.stopping");
        sandbox.release_held();
    })
}

fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/livez", get(alive))
        .route("/readyz", get(alive))
        .route("/addresses", post(addresses::create::create))
        .route("/addresses/{network}/{address}/deposits", get(addresses::deposits::deposits))
        .route("/chains/{network}", get(chains::view::view))
        .nest("/mambu/api", mambu::routes())
        .nest("/ciam", ciam::routes())
        .nest("/vendron", vendron::routes())
        .route("/slack/{*hook}", post(slack::receive))
        .nest("/_control", control_routes())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(sandbox)
}

fn control_routes() -> Router<Arc<Sandbox>> {
    let faults = get(control::faults::list).post(control::faults::set).delete(control::faults::clear);
    Router::new()
        .route("/chains/{network}/deposits", post(control::deposits::create))
        .route("/chains/{network}/replace", post(control::replace::replace))
        .route("/chains/{network}/mine", post(control::mine::mine))
        .route("/chains/{network}/reorg", post(control::reorg::reorg))
        .route("/addresses/next", post(control::addresses::plan))
        .route("/watcher/repeat", post(control::repeat::repeat))
        .route("/watcher/observations", post(control::observations::send))
        .route("/watcher/pause", post(control::pause::pause))
        .route("/mambu/loans", post(control::loans::create))
        .route("/mambu/loans/{loan}", get(control::loans::show))
        .route("/mambu/loans/{loan}/repay", post(control::loan_events::repay))
        .route("/mambu/loans/{loan}/disburse", post(control::loan_events::disburse))
        .route("/mambu/loans/{loan}/schedule", post(control::loan_events::reschedule))
        .route("/mambu/keys/forget", post(control::mambu_keys::forget))
        .route("/mambu/calls", get(control::mambu_calls::list))
        .route("/ciam/otps", post(control::otps::issue))
        .nest("/vendron", control::vendron::routes())
        .route("/faults", faults)
        .route("/ledger", get(control::ledger::list))
}

async fn alive() -> &'static str {
    "ok"
}

async fn no_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

async fn no_method(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}
