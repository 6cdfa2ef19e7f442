//! Deposits as watchers report them.

mod observation;
pub(crate) mod report;

pub(crate) use observation::Wire as Observation;
