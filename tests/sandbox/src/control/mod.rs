//! `/_control/…`: drives what the sandbox plays. For tests and for a person with curl.

pub(crate) mod addresses;
pub(crate) mod deposits;
pub(crate) mod faults;
pub(crate) mod ledger;
pub(crate) mod loan_events;
pub(crate) mod loans;
pub(crate) mod mambu_calls;
pub(crate) mod mambu_keys;
pub(crate) mod mine;
pub(crate) mod observations;
pub(crate) mod otps;
pub(crate) mod pause;
pub(crate) mod reorg;
pub(crate) mod repeat;
pub(crate) mod replace;
pub(crate) mod vendron;
mod vendron_connections;
mod vendron_machines;
mod vendron_notifications;
mod vendron_sales;
