//! `GET /chains/{network}`: the chain as a person wants to see it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{Network, Standing};
use crate::problem::Problem;
use crate::state::Sandbox;

/// As many blocks, and as many waiting transactions, as fit a screen.
const SHOWN: usize = 20;

pub(crate) async fn view(
    State(sandbox): State<Arc<Sandbox>>,
    Path(network): Path<String>,
) -> Result<Json<Value>, Problem> {
    let network = Network::parse(&network)?;
    Ok(Json(sandbox.read(|world| {
        let chain = world.chain(network);
        let mempool = chain.transactions().filter(|transaction| transaction.standing == Standing::Seen);
        let mempool: Vec<_> = mempool.collect();
        json!({
            "network_id": network,
            "tip_height": chain.tip_height,
            "finality_depth": network.finality_depth(),
            "blocks": chain.blocks().take(SHOWN).collect::<Vec<_>>(),
            "mempool_size": mempool.len(),
            "mempool": mempool.iter().rev().take(SHOWN).collect::<Vec<_>>(),
        })
    })))
}
