#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::sync::Arc;

use store::postgres::{Database, StoreError};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::contracts::fridge_journal::{
    BeginActivity, BeginResult, BeginSale, CORRUPT, RecordCheck, RecordCheckActivity, UNAVAILABLE,
};

use crate::failure::Failing;

/// The sales of the fridges in our own database.
pub struct FridgeJournalActivities {
    /// Where they are.
    pub database: Database,
}

#[activities]
impl FridgeJournalActivities {
    /// Records the sale and claims its machine, or finds what became of it.
    #[activity(definition = BeginActivity)]
    pub async fn begin(self: Arc<Self>, _: ActivityContext, begin: BeginSale) -> Result<BeginResult, ActivityError> {
        answered(self.database.begin_sale(&begin).await)
    }

    /// Records that somebody asked how a machine is.
    #[activity(definition = RecordCheckActivity)]
    pub async fn record_check(self: Arc<Self>, _: ActivityContext, check: RecordCheck) -> Result<(), ActivityError> {
        answered(self.database.record_check(&check).await)
    }
}

/// The database may come back; rows that contradict themselves do not mend.
fn answered<T>(result: Result<T, StoreError>) -> Result<T, ActivityError> {
    match result {
        Err(error) if !error.is_retryable() => Err(error).terminal(CORRUPT),
        other => other.retryable(UNAVAILABLE),
    }
}
