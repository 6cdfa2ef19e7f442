//! Deposits as watchers report them: kept first, counted later.

mod attach;
mod identity;
mod insert;
mod kept;
mod list;
mod owner;
mod record;
mod share;
mod sighting;
mod state;

pub use attach::{Attached, Attachment};
pub use list::{DepositResult, KeptDeposit};
pub(in crate::postgres) use state::{state_of, word};

use chrono::{DateTime, Utc};
use workflows::invoices::OutputState;

/// What a watcher says of one output of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Network that it is on.
    pub network_id: String,
    /// Coin, by the watcher's name for it.
    pub coin_id: String,
    /// Contract of the token.
    pub contract: Option<String>,
    /// Address that is paid.
    pub address: String,
    /// Transaction.
    pub tx_id: String,
    /// Output of the transaction.
    pub output_ref: String,
    /// Plain decimal amount.
    pub amount: String,
    /// Where it is on its chain.
    pub state: OutputState,
    /// Height of its block.
    pub block_height: Option<i64>,
    /// Hash of its block.
    pub block_hash: Option<String>,
    /// Highest block that the watcher knows.
    pub tip_height: i64,
    /// When the watcher saw it first.
    pub first_seen_at: DateTime<Utc>,
    /// Grows with every report of this output.
    pub version: i64,
}

/// What became of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is new, and belongs to an invoice.
    Accepted,
    /// It was reported before.
    Duplicate,
    /// A newer one was reported before.
    Stale,
    /// It is kept, and belongs to no invoice.
    Unmatched,
    /// It cannot be kept, and never could.
    Rejected(&'static str),
}
