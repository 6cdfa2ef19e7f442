//! `POST /_control/chains/{network}/reorg`: the last blocks turn out not to have been.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chains::Network;
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// How many blocks are replaced.
    depth: u64,
    /// Transactions in them that the new blocks do not have.
    #[serde(default)]
    drop: BTreeSet<String>,
}

pub(crate) async fn reorg(
    State(sandbox): State<Arc<Sandbox>>,
    Path(network): Path<String>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    let network = Network::parse(&network)?;
    let tx_ids = sandbox.change(|world| world.reorganise(network, request.depth, &request.drop))?;
    let tip_height = sandbox.read(|world| world.chain(network).tip_height);
    Ok(Json(json!({ "tip_height": tip_height, "dropped": request.drop, "tx_ids": tx_ids })))
}
