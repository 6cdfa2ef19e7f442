//! Gifts: who may use them and when, by whom each was used, and what keeps PINs from being guessed.

mod accounts;
mod attempts;
mod audit;
mod guard;
mod import;
mod redeem;
mod register;
mod suppliers;
mod void;

pub use accounts::{Account, ResolvedNumber};
pub use audit::{AuditEntry, GiftAttempt};
pub use guard::{Admission, GuardRules};
pub use import::{Conflict, NewGift};
pub use register::ACCOUNTS_AT_MOST;
pub use suppliers::NewSupplier;
