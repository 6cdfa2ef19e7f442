//! The guard that keeps whoever takes over a sale from asking for its door again.

use workflows::fridge_sales::SaleState;

use super::{Course, Intent};

/// The command to send now that an entry is in the journal: the one whose intent it is, if this attempt was the first
/// to commit that, and no other.
#[cfg(not(feature = "careless-holder"))]
pub(in crate::vending) const fn to_send(committed: Option<Intent>, _: &SaleState, _: &Course) -> Option<Intent> {
    committed
}

/// The same without its guard, for tests only: an attempt that finds that the door was asked to open asks again.
#[cfg(feature = "careless-holder")]
pub(in crate::vending) fn to_send(committed: Option<Intent>, state: &SaleState, course: &Course) -> Option<Intent> {
    let is_taken_over = state.unlock_sent_at.is_some() && course.unlocked.is_none();
    committed.or_else(|| is_taken_over.then_some(Intent::Unlock))
}
