#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::sync::Arc;

use store::{
    dynamodb::{PurchaseTables, TableError},
    s3::VoucherImages,
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;
use workflows::{
    contracts::purchase_records::{
        Begin, BeginActivity, BeginResult, CORRUPT, DeleteImage, DeleteImageActivity, Expire, ExpireActivity,
        ExpireResult, HasBegunActivity, NoteReversal, NoteReversalActivity, Refuse, RefuseActivity, Scan, ScanActivity,
        Store, StoreActivity, UNAVAILABLE,
    },
    purchase_codes::{IssueReply, UseReply},
};

use crate::failure::Failing;

/// The purchases in our own tables, and their vouchers.
pub struct PurchaseRecordsActivities {
    /// Where the purchases are.
    pub tables: PurchaseTables,
    /// Where the vouchers are.
    pub images: VoucherImages,
}

#[activities]
impl PurchaseRecordsActivities {
    /// Claims the loan, or finds what became of this purchase before.
    #[activity(definition = BeginActivity)]
    pub async fn begin(self: Arc<Self>, _: ActivityContext, begin: Begin) -> Result<BeginResult, ActivityError> {
        answered(self.tables.begin(&begin).await)
    }

    /// Whether the purchase was begun.
    #[activity(definition = HasBegunActivity)]
    pub async fn has_begun(self: Arc<Self>, _: ActivityContext, purchase_id: Uuid) -> Result<bool, ActivityError> {
        answered(self.tables.has_begun(purchase_id).await)
    }

    /// Keeps the refusal and frees the loan.
    #[activity(definition = RefuseActivity)]
    pub async fn refuse(self: Arc<Self>, _: ActivityContext, refuse: Refuse) -> Result<IssueReply, ActivityError> {
        answered(self.tables.refuse(&refuse).await)
    }

    /// Keeps the disbursement and issues the code.
    #[activity(definition = StoreActivity)]
    pub async fn store(self: Arc<Self>, _: ActivityContext, store: Store) -> Result<IssueReply, ActivityError> {
        answered(self.tables.store(&store).await)
    }

    /// Uses the code if everything fits.
    #[activity(definition = ScanActivity)]
    pub async fn scan(self: Arc<Self>, _: ActivityContext, scan: Scan) -> Result<UseReply, ActivityError> {
        answered(self.tables.scan(&scan).await)
    }

    /// Ends the code unless it was used.
    #[activity(definition = ExpireActivity)]
    pub async fn expire(self: Arc<Self>, _: ActivityContext, expire: Expire) -> Result<ExpireResult, ActivityError> {
        answered(self.tables.expire(&expire).await)
    }

    /// Notes the reversal and frees the loan.
    #[activity(definition = NoteReversalActivity)]
    pub async fn note_reversal(
        self: Arc<Self>,
        _: ActivityContext,
        reversal: NoteReversal,
    ) -> Result<(), ActivityError> {
        answered(self.tables.note_reversal(&reversal).await)
    }

    /// Deletes the voucher.
    #[activity(definition = DeleteImageActivity)]
    pub async fn delete_image(self: Arc<Self>, _: ActivityContext, image: DeleteImage) -> Result<(), ActivityError> {
        self.images.delete(image.purchase_id).await.retryable(UNAVAILABLE)
    }
}

/// The tables may come back; items that contradict themselves do not mend.
fn answered<T>(result: Result<T, TableError>) -> Result<T, ActivityError> {
    match result {
        Err(error) if error.is_corrupt() => Err(error).terminal(CORRUPT),
        other => other.retryable(UNAVAILABLE),
    }
}
