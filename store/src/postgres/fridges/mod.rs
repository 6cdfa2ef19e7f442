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

pub use alerts::AlertRecord;
pub use journal::{Direction, Entry, Journalled};
pub use machines::{Machine, NewMachine};
pub use read::{Event, Transaction};
pub use search::{Position, TransactionFilter};
