#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::sync::Arc;

use store::postgres::{Database, StoreError};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::{
    contracts::gift_ledger::{CORRUPT, Redeem, RedeemActivity, UNAVAILABLE, VoidActivity},
    gifts::{RedeemReply, VoidReply, VoidRequest},
};

use crate::failure::Failing;

/// The gifts in our own database.
pub struct GiftLedgerActivities {
    /// Where they are.
    pub database: Database,
}

#[activities]
impl GiftLedgerActivities {
    /// Uses the gift if everything fits.
    #[activity(definition = RedeemActivity)]
    pub async fn redeem(self: Arc<Self>, _: ActivityContext, redeem: Redeem) -> Result<RedeemReply, ActivityError> {
        answered(self.database.redeem_gift(&redeem).await)
    }

    /// Undoes a redemption inside its window.
    #[activity(definition = VoidActivity)]
    pub async fn void(self: Arc<Self>, _: ActivityContext, request: VoidRequest) -> Result<VoidReply, ActivityError> {
        answered(self.database.void_gift(&request).await)
    }
}

/// The database may come back; rows that contradict themselves do not mend.
fn answered<T>(result: Result<T, StoreError>) -> Result<T, ActivityError> {
    match result {
        Err(error) if !error.is_retryable() => Err(error).terminal(CORRUPT),
        other => other.retryable(UNAVAILABLE),
    }
}
