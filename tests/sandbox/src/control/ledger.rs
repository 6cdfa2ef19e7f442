//! `GET /_control/ledger`: every effect that really happened, in order.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ledger::Entry;
use crate::state::Sandbox;

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// Only entries with this text anywhere in their effect or detail.
    contains: Option<String>,
}

pub(crate) async fn list(State(sandbox): State<Arc<Sandbox>>, Query(filter): Query<Filter>) -> Json<Value> {
    let is_wanted = |entry: &&Entry| filter.contains.as_ref().is_none_or(|text| contains(entry, text));
    Json(sandbox.read(|world| json!({ "entries": world.entries().filter(is_wanted).collect::<Vec<_>>() })))
}

fn contains(entry: &Entry, text: &str) -> bool {
    entry.effect.contains(text) || entry.detail.to_string().contains(text)
}
