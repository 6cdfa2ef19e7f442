//! Values that several processes share.

mod amount;
mod confidential;
pub mod millis;
mod money;

pub use amount::{AmountError, BaseUnits};
pub use confidential::Confidential;
pub use money::{Currency, Money, MoneyError};
