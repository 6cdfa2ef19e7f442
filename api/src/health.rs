//! `/livez`, `/readyz`, `/version`.

use std::{fmt::Display, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::state::Api;

const PATIENCE: Duration = Duration::from_secs(2);

/// Whether everything that a request needs answers.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"status": "ready", "dependencies": {
    "database": "reachable", "temporal": "reachable", "dynamodb": "reachable", "s3": "reachable",
}})))]
pub(crate) struct Readiness {
    /// `ready` or `unready`.
    status: &'static str,
    dependencies: Dependencies,
}

/// Each `reachable` or `unreachable`.
#[derive(Serialize, ToSchema)]
struct Dependencies {
    database: &'static str,
    temporal: &'static str,
    /// Only where purchase codes are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    dynamodb: Option<&'static str>,
    /// Only where purchase codes are served, which go on without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    s3: Option<&'static str>,
}

/// Of a process that can answer at all.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"status": "alive"})))]
pub(crate) struct Liveness {
    /// `alive`.
    status: &'static str,
}

/// What runs here.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"name": "perdura-api", "version": "0.1.0", "commit": null})))]
pub(crate) struct Build {
    /// `perdura-api`.
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// What it was built from, where the build told.
    #[schema(required)]
    commit: Option<&'static str>,
}

/// Check liveness
///
/// The process lives.
#[utoipa::path(
    get, path = "/livez", operation_id = "get_liveness", tag = "service",
    responses((status = 200, description = "It lives", body = Liveness)),
)]
pub(crate) async fn livez() -> Json<Liveness> {
    Json(Liveness { status: "alive" })
}

/// Check readiness
///
/// Whether everything that a request needs answers.
#[utoipa::path(
    get, path = "/readyz", operation_id = "get_readiness", tag = "service",
    responses(
        (status = 200, description = "Everything answers", body = Readiness),
        (status = 503, description = "Something is away", body = Readiness,
         example = json!({"status": "unready", "dependencies": {"database": "reachable", "temporal": "unreachable"}})),
    ),
)]
pub(crate) async fn readyz(State(api): State<Api>) -> (StatusCode, Json<Readiness>) {
    let codes = api.purchase_codes.as_ref();
    let (database, temporal, dynamodb, s3) = tokio::join!(
        reached("database", api.database.ping()),
        reached("temporal", api.engine.ping()),
        where_served(codes.map(|codes| reached("dynamodb", codes.ping_tables()))),
        where_served(codes.map(|codes| reached("s3", codes.ping_images()))),
    );
    let ready = database && temporal && dynamodb != Some(false);
    let word = |reached: bool| if reached { "reachable" } else { "unreachable" };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let dependencies = Dependencies {
        database: word(database),
        temporal: word(temporal),
        dynamodb: dynamodb.map(word),
        s3: s3.map(word),
    };
    (status, Json(Readiness { status: if ready { "ready" } else { "unready" }, dependencies }))
}

async fn where_served(reached: Option<impl Future<Output = bool>>) -> Option<bool> {
    match reached {
        Some(reached) => Some(reached.await),
        None => None,
    }
}

async fn reached<E: Display>(dependency: &'static str, ping: impl Future<Output = Result<(), E>>) -> bool {
    match timeout(PATIENCE, ping).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(dependency, %error, "api.dependency.unreachable"),
        Err(_elapsed) => tracing::warn!(dependency, error = "no answer in time", "api.dependency.unreachable"),
    }
    false
}

/// Show the version
///
/// Name and version of the binary.
#[utoipa::path(
    get, path = "/version", operation_id = "get_version", tag = "service",
    responses((status = 200, description = "What runs here", body = Build)),
)]
pub(crate) async fn version() -> Json<Build> {
    Json(Build { name: "perdura-api", version: env!("CARGO_PKG_VERSION"), commit: option_env!("PERDURA_COMMIT") })
}
