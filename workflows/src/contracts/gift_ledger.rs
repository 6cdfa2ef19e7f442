//! The gifts in our own database.

use std::{convert::Infallible, time::Duration};

use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;

use crate::{
    domain::millis,
    gifts::{RedeemReply, RedeemRequest, VoidReply, VoidRequest},
};

/// The database does not answer.
pub const UNAVAILABLE: &str = "gift_ledger.unavailable";
/// The rows contradict the request: a bug.
pub const CORRUPT: &str = "gift_ledger.corrupt";

/// Redeems a gift.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Redeem {
    /// What to redeem, for whom.
    pub request: RedeemRequest,
    /// How long that may be undone.
    #[serde(with = "millis")]
    pub void_window: Duration,
}

/// The gifts in our own database.
pub struct GiftLedger;

#[activity_definitions]
impl GiftLedger {
    /// Uses the gift if everything fits, by the database's clock; one of many wins. Again, it answers as the first time.
    #[activity(name = "gift_ledger.redeem")]
    pub fn redeem(_: Redeem) -> Result<RedeemReply, Infallible> {
        unimplemented!()
    }

    /// Undoes a redemption inside its window. Again, it answers as the first time.
    #[activity(name = "gift_ledger.void")]
    pub fn void(_: VoidRequest) -> Result<VoidReply, Infallible> {
        unimplemented!()
    }
}

pub use gift_ledger::{Redeem as RedeemActivity, Void as VoidActivity};
