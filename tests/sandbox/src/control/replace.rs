//! `POST /_control/chains/{network}/replace`: a payer takes back what is not in a block yet, and pays otherwise.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::deposits;
use crate::chains::{Network, Payment};
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    tx_id: String,
    with: Payment,
}

pub(crate) async fn replace(
    State(sandbox): State<Arc<Sandbox>>,
    Path(network): Path<String>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    let network = Network::parse(&network)?;
    deposits::check_address(&request.with.address)?;
    let new = sandbox.change(|world| world.replace(network, &request.tx_id, request.with))?;
    let mut answer = deposits::answer(&new);
    answer["replaces"] = json!(request.tx_id);
    Ok(Json(answer))
}
