//! `POST /deposits`: keeps what a watcher saw. Acknowledged means stored; the rest of the work comes later.

use axum::{
    Json,
    extract::{Request, State},
    http::HeaderMap,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::postgres::deposits::Recorded;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Array, Object, Ref,
        schema::{AnyOfBuilder, ArrayBuilder, SchemaType},
    },
};

use super::observation;
use crate::{
    auth::{Caller, ReportDeposits},
    json,
    problem::{Problem, kinds},
    state::Api,
};

/// As many ordinary ones as fit into a body.
const MOST: usize = 100;

/// A batch. Each item is looked at by itself: one that is wrong does not hold up the others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DepositReport, examples(json!({"observations": [{
    "observation_id": "0190a0b0-0000-7000-8000-00000000000b", "network_id": "tron", "coin_id": "usdt",
    "contract": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "address": "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "tx_id": "9f2c",
    "output_ref": "v:0", "amount": "12.50", "state": "included", "block_height": 7, "block_hash": "00ab",
    "tip_height": 9, "first_seen_at": "2026-01-31T12:00:00Z", "version": 2,
}]})))]
pub(crate) struct Batch {
    /// Observations. Any other item is answered `rejected` and does not hold up the rest.
    #[schema(schema_with = observations)]
    observations: Vec<Value>,
}

/// An observation is what is asked for, and any other item is answered as well.
fn observations() -> Array {
    let item =
        AnyOfBuilder::new().item(Ref::from_schema_name("Observation")).item(Object::with_type(SchemaType::AnyValue));
    ArrayBuilder::new().items(item).max_items(Some(MOST)).build()
}

/// The headers of Standard Webhooks, over the exact bytes of the body, under the watcher's secret.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, clippy::struct_field_names, reason = "only described, in the words of Standard Webhooks")]
pub(crate) struct Signature {
    /// Id of the message.
    #[param(rename = "webhook-id", example = "msg_1")]
    id: String,
    /// When it was signed, in seconds since 1970; not more than five minutes ago.
    #[param(rename = "webhook-timestamp", example = "1769860800")]
    timestamp: String,
    /// `v1,` and the base64 of the HMAC-SHA-256; several are separated by spaces.
    #[param(rename = "webhook-signature", example = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=")]
    signature: String,
}

/// The answer, in the order of the batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DepositResults, examples(json!({"results": [
    {"observation_id": "0190a0b0-0000-7000-8000-00000000000b", "result": "accepted", "reason": null},
]})))]
pub(crate) struct Report {
    results: Vec<Outcome>,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DepositResult)]
struct Outcome {
    /// As it was sent; null when it was no text.
    #[schema(required)]
    observation_id: Option<String>,
    /// `accepted`, `duplicate`, `stale`, `unmatched` (kept, and of no invoice) or `rejected`.
    #[schema(pattern = "^(accepted|duplicate|stale|unmatched|rejected)$")]
    result: &'static str,
    /// Why it was rejected.
    #[schema(required)]
    reason: Option<String>,
}

/// Report deposits
///
/// Keeps a batch of observations, all of it before it answers. After a failure the watcher repeats; what is kept is a
/// `duplicate` then. The body is signed as Standard Webhooks says.
#[utoipa::path(
    post, path = "/deposits", operation_id = "report_deposits", tag = "deposits",
    security(("api_key" = ["deposits:report"])), params(Signature), request_body = Batch,
    responses((status = 200, description = "What became of each item, in their order", body = Report)),
    extensions(("x-problems" = json!([kinds::SIGNATURE_INVALID.code, kinds::UNACCEPTABLE.code]))),
)]
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
