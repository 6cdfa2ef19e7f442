//! How a step is done: each file implements the contract of the same name in `workflows::contracts`.

mod addresses;
mod alerts;
pub mod clients;
mod core_banking;
mod failure;
#[cfg(test)]
mod fake_system;
mod fridge_journal;
mod gift_ledger;
mod identity;
mod invoice_ledger;
mod purchase_records;
mod vending;

pub use addresses::AddressesActivities;
pub use alerts::{AlertsActivities, Operators};
pub use core_banking::CoreBankingActivities;
pub use fridge_journal::FridgeJournalActivities;
pub use gift_ledger::GiftLedgerActivities;
pub use identity::IdentityActivities;
pub use invoice_ledger::InvoiceLedgerActivities;
pub use purchase_records::PurchaseRecordsActivities;
pub use vending::VendingActivities;
