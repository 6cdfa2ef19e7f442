//! `POST /_control/chains/{network}/deposits`: somebody pays.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chains::{Asset, Network, Payment, Transaction};
use crate::ledger;
use crate::problem::{Body, Problem};
use crate::state::Sandbox;

/// Longer than an address of any network.
const LONGEST_ADDRESS: usize = 128;
/// As many outputs as a large real transaction has.
const MOST_OUTPUTS: usize = 1000;

/// The payment, alone or followed by more outputs of the same transaction; or only `outputs`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    address: Option<String>,
    amount: Option<String>,
    coin_id: String,
    /// Makes it a token of this contract, whatever its name.
    contract: Option<String>,
    /// Defaults to now.
    first_seen_at: Option<DateTime<Utc>>,
    #[serde(default)]
    outputs: Vec<Payment>,
}

pub(crate) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Path(network): Path<String>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    let transaction = transaction(Network::parse(&network)?, request)?;
    let transaction = sandbox.change(|world| Ok(world.broadcast(transaction)))?;
    Ok(Json(answer(&transaction)))
}

/// How a new transaction is named to whoever asked for it.
pub(super) fn answer(transaction: &Transaction) -> Value {
    let output_refs: Vec<_> = transaction.outputs.iter().map(|output| &output.reference).collect();
    json!({ "tx_id": transaction.tx_id, "output_ref": output_refs.first(), "output_refs": output_refs })
}

/// Refuses what no chain could carry.
pub(super) fn check_address(address: &str) -> Result<(), Problem> {
    if address.is_empty() || address.len() > LONGEST_ADDRESS {
        return Err(Problem::unprocessable(format!("an address has 1 to {LONGEST_ADDRESS} characters")));
    }
    Ok(())
}

fn transaction(network: Network, request: Request) -> Result<Transaction, Problem> {
    if let Some(contract) = &request.contract {
        check_address(contract)?;
    }
    let asset = Asset::find(network, &request.coin_id, request.contract)?;
    let mut payments = first_payment(request.address, request.amount)?;
    payments.extend(request.outputs);
    if payments.is_empty() || payments.len() > MOST_OUTPUTS {
        return Err(Problem::unprocessable(format!("a transaction has 1 to {MOST_OUTPUTS} outputs")));
    }
    for payment in &payments {
        check_address(&payment.address)?;
        asset.check_amount(&payment.amount)?;
    }
    Ok(Transaction::new(network, &asset, payments, request.first_seen_at.unwrap_or_else(ledger::now)))
}

fn first_payment(address: Option<String>, amount: Option<String>) -> Result<Vec<Payment>, Problem> {
    match (address, amount) {
        (Some(address), Some(amount)) => Ok(vec![Payment { address, amount }]),
        (None, None) => Ok(Vec::new()),
        _ => Err(Problem::unprocessable("address and amount go together")),
    }
}
