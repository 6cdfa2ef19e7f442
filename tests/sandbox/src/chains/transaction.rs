//! A transaction, its outputs, and what a watcher says of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Asset, Network};

/// Where a transaction stands on its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Seen,
    Included,
    Final,
    Orphaned,
    Replaced,
}

/// One payment of a transaction, with the latest thing observed of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Output {
    /// Its name within the transaction.
    pub(crate) reference: String,
    pub(crate) address: String,
    pub(crate) coin_id: String,
    pub(crate) contract: Option<String>,
    pub(crate) amount: String,
    /// Counts the observations of this output, from 1.
    pub(crate) version: u64,
    /// Of this version alone.
    observation_id: Uuid,
    /// The tip when this version was observed.
    tip_height: u64,
    /// The newest version that needs no more reporting.
    pub(crate) delivered_version: u64,
}

/// A payment that somebody asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payment {
    pub(crate) address: String,
    pub(crate) amount: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) network: Network,
    pub(crate) tx_id: String,
    pub(crate) standing: Standing,
    pub(crate) block_height: Option<u64>,
    pub(crate) block_hash: Option<String>,
    pub(crate) first_seen_at: DateTime<Utc>,
    pub(crate) outputs: Vec<Output>,
}

/// What goes over the wire: one version of one output.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Observation {
    #[serde(rename = "observation_id")]
    pub(crate) id: Uuid,
    network_id: Network,
    coin_id: String,
    contract: Option<String>,
    pub(crate) address: String,
    pub(crate) tx_id: String,
    output_ref: String,
    amount: String,
    state: Standing,
    block_height: Option<u64>,
    block_hash: Option<String>,
    tip_height: u64,
    pub(crate) first_seen_at: DateTime<Utc>,
    pub(crate) version: u64,
}

impl Transaction {
    /// A transaction that was just broadcast; nothing of it is observed yet.
    pub(crate) fn new(network: Network, asset: &Asset, payments: Vec<Payment>, first_seen_at: DateTime<Utc>) -> Self {
        let tx_id = network.new_transaction_id();
        let first_log = first_log_index(&tx_id);
        let output = |(index, payment): (usize, Payment)| Output {
            reference: reference(network, asset, first_log, index),
            address: payment.address,
            coin_id: asset.coin_id.clone(),
            contract: asset.contract.clone(),
            amount: payment.amount,
            version: 0,
            observation_id: Uuid::nil(),
            tip_height: 0,
            delivered_version: 0,
        };
        let outputs = payments.into_iter().enumerate().map(output).collect();
        let standing = Standing::Seen;
        Self { network, tx_id, standing, block_height: None, block_hash: None, first_seen_at, outputs }
    }

    /// Whether another block can still change what is said of it.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.standing, Standing::Seen | Standing::Included)
    }

    /// Whether it stands in a block of the chain.
    pub(crate) fn is_in_block(&self) -> bool {
        matches!(self.standing, Standing::Included | Standing::Final)
    }

    /// Makes the present standing a new version of every output.
    pub(crate) fn observe(&mut self, tip_height: u64) {
        for output in &mut self.outputs {
            output.version += 1;
            output.observation_id = Uuid::new_v4();
            output.tip_height = tip_height;
        }
    }

    /// The latest observation of the output at this place.
    pub(crate) fn observation(&self, index: usize) -> Option<Observation> {
        let output = self.outputs.get(index)?;
        Some(Observation {
            id: output.observation_id,
            network_id: self.network,
            coin_id: output.coin_id.clone(),
            contract: output.contract.clone(),
            address: output.address.clone(),
            tx_id: self.tx_id.clone(),
            output_ref: output.reference.clone(),
            amount: output.amount.clone(),
            state: self.standing,
            block_height: self.block_height,
            block_hash: self.block_hash.clone(),
            tip_height: output.tip_height,
            first_seen_at: self.first_seen_at,
            version: output.version,
        })
    }

    /// The latest observations of all outputs.
    pub(crate) fn observations(&self) -> impl Iterator<Item = Observation> {
        (0..self.outputs.len()).filter_map(|index| self.observation(index))
    }
}

/// `v:` an output of bitcoin, `l:` a log entry of a token, `n` the transfer of a transaction itself, `t:` one inside it.
fn reference(network: Network, asset: &Asset, first_log: usize, index: usize) -> String {
    match (network, &asset.contract) {
        (Network::Bitcoin, _) => format!("v:{index}"),
        (_, Some(_)) => format!("l:{}", first_log + index),
        (_, None) if index == 0 => "n".to_owned(),
        (_, None) => format!("t:0_{}", index - 1),
    }
}

/// Log entries count through a block, so a transaction's first one is rarely 0. Taken from the id: any number will do.
fn first_log_index(tx_id: &str) -> usize {
    tx_id.bytes().map(usize::from).sum::<usize>() % 200
}
