//! Definitions of the activities, one file per capability. The crate `activities` implements each under the same name.
#![expect(missing_docs, reason = "the activity macros generate undocumented markers")]

pub mod addresses;
pub mod alerts;
pub mod core_banking;
pub mod fridge_journal;
pub mod gift_ledger;
pub mod identity;
pub mod invoice_ledger;
pub mod purchase_records;
pub mod vending;
