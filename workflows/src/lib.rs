//! What happens and in which order: every process of Perdura as a Temporal workflow, and the definitions of the
//! activities that it calls.
//!
//! This crate is pure. It reads no clock, no environment and no socket; what touches the world is an activity that
//! another crate implements. `clippy.toml` beside this crate and its dependency tree enforce that.

pub mod attributes;
pub mod contracts;
pub mod domain;
pub mod fridge_sales;
pub mod gifts;
pub mod invoices;
pub mod purchase_codes;
mod steps;

pub use steps::StepBounds;
