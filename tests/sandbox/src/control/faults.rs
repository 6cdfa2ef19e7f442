//! `/_control/faults`: what is to go wrong.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

pub(crate) async fn set(State(sandbox): State<Arc<Sandbox>>, Body(fault): Body<Fault>) -> Result<Json<Value>, Problem> {
    fault.check()?;
    sandbox.change(|world| {
        world.faults.list.push(fault);
        world.save_faults();
        Ok(())
    })?;
    Ok(list(State(sandbox)).await)
}

pub(crate) async fn list(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    Json(sandbox.read(|world| json!({ "faults": world.faults() })))
}

/// Which faults to forget: without it all.
#[derive(Deserialize)]
pub(crate) struct Forgotten {
    #[serde(rename = "match")]
    text: Option<String>,
}

/// Also lets every connection go at once that one of them holds.
pub(crate) async fn clear(
    State(sandbox): State<Arc<Sandbox>>,
    Query(forgotten): Query<Forgotten>,
) -> Result<Json<Value>, Problem> {
    sandbox.change(|world| {
        world.faults.list.retain(|fault| !fault.is_forgotten_with(forgotten.text.as_deref()));
        world.save_faults();
        Ok(())
    })?;
    sandbox.release_held_by(forgotten.text);
    Ok(list(State(sandbox)).await)
}
