//! Invoices: rows of the source document, their addresses, events and credits.

mod advance;
mod create;
mod credit;
mod ledger_row;
mod read;

pub use read::{Invoice, InvoiceEvent, InvoiceFilter, Position};
