//! How a step is done: each file implements the contract of the same name in `workflows::contracts`.

mod addresses;
pub mod clients;
mod core_banking;
mod failure;
#[cfg(test)]
mod fake_system;
mod identity;
mod invoice_ledger;
mod purchase_records;

pub use addresses::AddressesActivities;
pub use core_banking::CoreBankingActivities;
pub use identity::IdentityActivities;
pub use invoice_ledger::InvoiceLedgerActivities;
pub use purchase_records::PurchaseRecordsActivities;
