//! `POST /_control/chains/{network}/mine`: time passes on a chain.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chains::Network;
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

/// A day of the fastest chain would be more than anybody waits for.
const MOST_BLOCKS: u64 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(default = "one_block")]
    blocks: u64,
}

fn one_block() -> u64 {
    1
}

pub(crate) async fn mine(
    State(sandbox): State<Arc<Sandbox>>,
    Path(network): Path<String>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    let network = Network::parse(&network)?;
    if !(1..=MOST_BLOCKS).contains(&request.blocks) {
        return Err(Problem::unprocessable(format!("blocks must be between 1 and {MOST_BLOCKS}")));
    }
    let tip_height = sandbox.change(|world| Ok(world.mine(network, request.blocks)))?;
    Ok(Json(json!({ "tip_height": tip_height })))
}
