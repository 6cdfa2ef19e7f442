//! `POST /_control/watcher/repeat`: the same deposit is reported many times at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::observations::send_once;
use crate::chains::unknown_transaction;
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

/// As many connections as a small machine opens at once without running out of anything.
const MOST_TIMES: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    tx_id: String,
    times: usize,
}

/// Answers when all reports are answered, with what the API said to each.
pub(crate) async fn repeat(
    State(sandbox): State<Arc<Sandbox>>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    if !(1..=MOST_TIMES).contains(&request.times) {
        return Err(Problem::unprocessable(format!("times must be between 1 and {MOST_TIMES}")));
    }
    let observations = current_observations(&sandbox, &request.tx_id)?;
    let mut reports = JoinSet::new();
    for _ in 0..request.times {
        let (sandbox, observations) = (Arc::clone(&sandbox), observations.clone());
        reports.spawn(async move { send_once(&sandbox, observations).await });
    }
    let answers = reports.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({ "sent": answers.len(), "answers": answers })))
}

fn current_observations(sandbox: &Sandbox, tx_id: &str) -> Result<Value, Problem> {
    let found = sandbox.read(|world| world.transaction(tx_id).map(|found| found.observations().collect::<Vec<_>>()));
    found.map(|observations| json!(observations)).ok_or_else(|| unknown_transaction(tx_id))
}
