//! The outside systems that Perdura works with, played locally over real HTTP: what a developer without an account at
//! any of them runs against, and what the tests run against. Written from the systems' documents; it shares no code with
//! the product, so that one misunderstanding cannot be on both sides.
//!
//! One folder per system (`addresses`, `chains` with their `watcher`, `mambu`, `ciam`, `vendron`, `slack`), `control` for
//! whoever drives them, and what they have in common: the `ledger` of effects, the `faults`, the `state`.

mod access;
mod addresses;
mod chains;
mod ciam;
mod config;
mod connection;
mod control;
mod faults;
mod ledger;
mod mambu;
mod problem;
mod reply;
mod server;
mod slack;
mod state;
mod vendron;
mod watcher;

pub use config::Settings;
pub use server::run;
