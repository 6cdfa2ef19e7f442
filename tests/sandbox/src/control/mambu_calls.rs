//! `GET /_control/mambu/calls`: every command that arrived at Mambu, in order, whatever became of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mambu::Call;
use crate::state::Sandbox;

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// Only calls with this text in their path or key.
    contains: Option<String>,
}

pub(crate) async fn list(State(sandbox): State<Arc<Sandbox>>, Query(filter): Query<Filter>) -> Json<Value> {
    let text = filter.contains.unwrap_or_default();
    Json(sandbox.read(|world| {
        let has_key = |call: &Call| call.idempotency_key.is_some_and(|key| key.to_string().contains(&text));
        let calls = world.bank.calls().filter(|call| call.path.contains(&text) || has_key(call));
        json!({ "calls": calls.collect::<Vec<_>>() })
    }))
}
