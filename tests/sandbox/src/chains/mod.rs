//! The chains: bitcoin, ethereum and tron, driven by the control routes.

mod chain;
#[cfg(test)]
mod chain_tests;
mod coin;
mod network;
mod transaction;
pub(crate) mod view;

pub(crate) use chain::{Block, Chain, Changes, unknown_transaction};
pub(crate) use coin::Asset;
pub(crate) use network::Network;
pub(crate) use transaction::{Observation, Payment, Standing, Transaction};
