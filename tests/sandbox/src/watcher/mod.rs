//! The watcher: reports every change of an output to the API until the API has it.

mod deliver;
mod queue;
mod reporter;
mod run;

pub(crate) use deliver::record;
pub(crate) use queue::{OutputKey, Queue};
pub(crate) use reporter::Reporter;
pub(crate) use run::run;

use queue::{Next, Waiting};
