//! Values that several processes share.

mod amount;
pub mod millis;

pub use amount::{AmountError, BaseUnits};
