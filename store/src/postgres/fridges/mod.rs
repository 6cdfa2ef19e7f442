//! Fridge sales: the rows of the source document, what was heard of each sale, and what the operators were told.

mod alerts;
mod begin;
mod checks;
mod journal;
mod machines;
mod read;
mod sale;
mod search;
mod text;

pub use alerts::{AlertClaim, AlertTurn};
pub use journal::{Direction, Entry, Journalled};
pub use machines::{Machine, NewMachine};
pub use read::{Event, Recipient, Transaction};
pub use search::{Position, TransactionFilter};

/// Channel on which every change of a transaction is announced, with its id.
pub const CHANGES_CHANNEL: &str = "transaction_change";
