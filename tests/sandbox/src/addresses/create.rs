//! `POST /addresses`: an address for a user on a network, once per Idempotency-Key.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::chains::Network;
use crate::connection::Interim;
use crate::faults::{self, System};
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

#[derive(Deserialize)]
pub(crate) struct Request {
    user_id: Uuid,
    network_id: String,
}

pub(crate) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    interim: Interim,
    headers: HeaderMap,
    Body(request): Body<Request>,
) -> Response {
    let key = match idempotency_key(&headers) {
        Ok(key) => key.to_owned(),
        Err(problem) => return problem.into_response(),
    };
    let strike = sandbox.strike(System::Addresses, "create", &[&request.user_id.to_string(), &key]);
    faults::answer(strike, &interim, move || make(&sandbox, &request, &key)).await
}

fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    key.filter(|key| !key.is_empty()).ok_or_else(|| Problem::bad_request("the header Idempotency-Key is missing"))
}

fn make(sandbox: &Sandbox, request: &Request, key: &str) -> Result<Value, Problem> {
    let network = Network::parse(&request.network_id)?;
    let address = sandbox.change(|world| world.make_address(key, request.user_id, network))?;
    Ok(json!({ "address": address }))
}
