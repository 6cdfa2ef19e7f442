//! `/livez`, `/readyz`, `/version`.

use std::{fmt::Display, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use tokio::time::timeout;

use crate::state::Api;

const PATIENCE: Duration = Duration::from_secs(2);

/// Of the readiness.
#[derive(Serialize)]
pub(crate) struct Readiness {
    status: &'static str,
    dependencies: Dependencies,
}

#[derive(Serialize)]
struct Dependencies {
    database: &'static str,
    temporal: &'static str,
}

/// Of a process that can answer at all.
#[derive(Serialize)]
pub(crate) struct Liveness {
    status: &'static str,
}

/// What runs here.
#[derive(Serialize)]
pub(crate) struct Build {
    name: &'static str,
    version: &'static str,
    commit: Option<&'static str>,
}

/// The process lives.
pub(crate) async fn livez() -> Json<Liveness> {
    Json(Liveness { status: "alive" })
}

/// Whether everything that a request needs answers.
pub(crate) async fn readyz(State(api): State<Api>) -> (StatusCode, Json<Readiness>) {
    let (database, temporal) =
        tokio::join!(reached("database", api.database.ping()), reached("temporal", api.engine.ping()),);
    let ready = database && temporal;
    let word = |reached: bool| if reached { "reachable" } else { "unreachable" };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let dependencies = Dependencies { database: word(database), temporal: word(temporal) };
    (status, Json(Readiness { status: if ready { "ready" } else { "unready" }, dependencies }))
}

async fn reached<E: Display>(dependency: &'static str, ping: impl Future<Output = Result<(), E>>) -> bool {
    match timeout(PATIENCE, ping).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(dependency, %error, "api.dependency.unreachable"),
        Err(_elapsed) => tracing::warn!(dependency, error = "no answer in time", "api.dependency.unreachable"),
    }
    false
}

/// Name and version of the binary.
pub(crate) async fn version() -> Json<Build> {
    Json(Build { name: "perdura-api", version: env!("CARGO_PKG_VERSION"), commit: option_env!("PERDURA_COMMIT") })
}
