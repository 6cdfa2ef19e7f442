//! `POST /_control/watcher/pause`: what is observed stays with the watcher for a while.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{Body, Problem};
use crate::state::Sandbox;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    paused: bool,
    /// Part of an address or transaction id; without it everything is meant.
    #[serde(rename = "match")]
    text: Option<String>,
}

pub(crate) async fn pause(
    State(sandbox): State<Arc<Sandbox>>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    let (pauses, waiting) = sandbox.change(|world| {
        world.pause(request.paused, request.text);
        Ok((world.pauses.clone(), world.queue.len()))
    })?;
    Ok(Json(json!({ "pauses": pauses, "waiting": waiting })))
}
