//! How a step is done: each file implements the contract of the same name in `workflows::contracts`.

mod addresses;
pub mod clients;
mod failure;
mod invoice_ledger;

pub use addresses::AddressesActivities;
pub use invoice_ledger::InvoiceLedgerActivities;
