//! Deposits as watchers report them.

mod observation;
pub(crate) mod report;
