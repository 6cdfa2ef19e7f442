//! `POST /_control/addresses/next`: which address the service gives out next, whosever it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::deposits::check_address;
use crate::addresses::PlannedAddress;
use crate::chains::Network;
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Who is given it.
    user_id: Uuid,
    network_id: String,
    address: String,
}

/// Once, to the next request that would have made a new address.
pub(crate) async fn plan(
    State(sandbox): State<Arc<Sandbox>>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    let network_id = Network::parse(&request.network_id)?;
    check_address(&request.address)?;
    let planned = PlannedAddress { user_id: request.user_id, network_id, address: request.address };
    let left = sandbox.change(|world| Ok(world.plan_address(planned)))?;
    Ok(Json(json!({ "planned": left })))
}
