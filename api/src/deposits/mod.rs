//! Deposits as watchers report them, and as operators see those that nobody awaited.

pub(crate) mod attach;
mod body;
pub(crate) mod list;
mod observation;
pub(crate) mod report;

pub(crate) use observation::Wire as Observation;
