//! `POST /_control/watcher/observations`: sends these observations as they are, signed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{Body, Problem};
use crate::state::Sandbox;
use crate::watcher;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Anything: what the API makes of it is the question.
    observations: Value,
}

/// Answers with what the API said; nothing is repeated.
pub(crate) async fn send(
    State(sandbox): State<Arc<Sandbox>>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    send_once(&sandbox, request.observations).await.map(Json)
}

/// One report past queue, pauses and faults: `{"status","body"}`, or `{"status":null,"error"}` where none came.
pub(super) async fn send_once(sandbox: &Sandbox, observations: Value) -> Result<Value, Problem> {
    let reporter = sandbox.reporter().ok_or_else(|| Problem::conflict("no API is configured to report to"))?;
    let answer = match reporter.send(json!({ "observations": observations }).to_string()).await {
        Ok(answer) => answer,
        Err(error) => return Ok(json!({ "status": null, "error": format!("{error:#}") })),
    };
    sandbox.change_quietly(|world| watcher::record(world, &observations, &answer));
    Ok(json!({ "status": answer.status, "body": answer.body }))
}
