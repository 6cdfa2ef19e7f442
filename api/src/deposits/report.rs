//! `POST /deposits`: keeps what a watcher saw. Acknowledged means stored; the rest of the work comes later.

use axum::{
    Json,
    extract::{Request, State},
    http::HeaderMap,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::postgres::deposits::Recorded;

use super::observation;
use crate::{
    auth::{Caller, ReportDeposits},
    json,
    problem::{Problem, kinds},
    state::Api,
};

const MOST: usize = 500;

/// A batch. Each item is looked at by itself: one that is wrong does not hold up the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    observations: Vec<Value>,
}

/// The answer, in the order of the batch.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    results: Vec<Outcome>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    observation_id: Option<String>,
    result: &'static str,
    reason: Option<String>,
}

/// Keeps a batch, all of it before it answers. After a failure the watcher repeats; what is kept is a duplicate then.
pub(crate) async fn report(
    State(api): State<Api>,
    _watcher: Caller<ReportDeposits>,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<Report>, Problem> {
    let body = json::read(request, &api).await?;
    if !api.watcher_secrets.iter().any(|secret| secret.verify(&body, &headers).is_ok()) {
        return Err(Problem::new(kinds::SIGNATURE_INVALID, "sign the body as Standard Webhooks says, not long ago"));
    }
    let batch: Batch = json::parse(&body)?;
    if batch.observations.len() > MOST {
        let detail = format!("has more than {MOST} items");
        return Err(Problem::with_error(kinds::UNACCEPTABLE, "observations", detail));
    }
    let mut results = Vec::with_capacity(batch.observations.len());
    for item in &batch.observations {
        results.push(keep(&api, item).await?);
    }
    Ok(Json(Report { results }))
}

async fn keep(api: &Api, item: &Value) -> Result<Outcome, Problem> {
    let (result, reason) = match observation::read(item) {
        Ok(observation) => outcome(&api.database.record_observation(&observation).await?),
        Err(reason) => ("rejected", Some(reason)),
    };
    let observation_id = item.get("observation_id").and_then(Value::as_str).map(str::to_owned);
    Ok(Outcome { observation_id, result, reason })
}

fn outcome(recorded: &Recorded) -> (&'static str, Option<String>) {
    match recorded {
        Recorded::Accepted => ("accepted", None),
        Recorded::Duplicate => ("duplicate", None),
        Recorded::Stale => ("stale", None),
        Recorded::Unmatched => ("unmatched", None),
        Recorded::Rejected(reason) => ("rejected", Some((*reason).to_owned())),
    }
}
