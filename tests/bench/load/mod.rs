//! Sending requests and timing them.

pub(crate) mod closed;
pub(crate) mod open;
mod sample;
mod target;

pub(crate) use sample::Sample;
pub(crate) use target::{Target, in_turn};
