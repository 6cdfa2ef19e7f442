//! The address service's JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::postgres::deposits::Observation;
use uuid::Uuid;
use workflows::invoices::OutputState;

#[derive(Serialize)]
pub(super) struct AddressRequest<'a> {
    pub(super) user_id: Uuid,
    pub(super) network_id: &'a str,
}

#[derive(Deserialize)]
pub(super) struct AddressBody {
    pub(super) address: String,
}

#[derive(Deserialize)]
pub(super) struct DepositsBody {
    pub(super) observations: Vec<ObservationBody>,
}

#[derive(Deserialize)]
pub(super) struct ObservationBody {
    network_id: String,
    coin_id: String,
    contract: Option<String>,
    address: String,
    tx_id: String,
    output_ref: String,
    amount: String,
    state: StateWord,
    block_height: Option<i64>,
    block_hash: Option<String>,
    tip_height: i64,
    first_seen_at: DateTime<Utc>,
    version: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    Seen,
    Included,
    Final,
    Orphaned,
    Replaced,
}

impl From<ObservationBody> for Observation {
    fn from(body: ObservationBody) -> Self {
        Self {
            network_id: body.network_id,
            coin_id: body.coin_id,
            contract: body.contract,
            address: body.address,
            tx_id: body.tx_id,
            output_ref: body.output_ref,
            amount: body.amount,
            state: body.state.into(),
            block_height: body.block_height,
            block_hash: body.block_hash,
            tip_height: body.tip_height,
            first_seen_at: body.first_seen_at,
            version: body.version,
        }
    }
}

impl From<StateWord> for OutputState {
    fn from(word: StateWord) -> Self {
        match word {
            StateWord::Seen => Self::Seen,
            StateWord::Included => Self::Included,
            StateWord::Final => Self::Final,
            StateWord::Orphaned => Self::Orphaned,
            StateWord::Replaced => Self::Replaced,
        }
    }
}
