//! Invoices: rows of the source document, their addresses, events and credits.

mod accept_late;
mod advance;
mod apply;
mod audit;
mod beginning;
mod create;
mod credit;
mod ledger_row;
mod list;
mod log;
mod outputs;
mod read;
mod rebuild;

pub use audit::Audit;
pub use list::{InvoiceFilter, Position};
pub use log::{InvoiceEvent, LoggedEvent};
pub use read::Invoice;
pub use rebuild::{RebuildFlaw, rebuild};

/// Channel on which a new event is announced, with the id of its invoice.
pub const EVENTS_CHANNEL: &str = "invoice_event";
/// What begins the cause of an event by which a merchant accepted late money.
const ACCEPTED_LATE: &str = "accept-late/";
