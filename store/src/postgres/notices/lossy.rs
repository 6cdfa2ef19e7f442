//! The relay without its guard, for tests only: a notice is gone as soon as it is taken, so that whatever keeps it from
//! being delivered loses it for good.

use std::time::Duration;

use super::DepositNotice;
use crate::postgres::{Database, StoreError};

impl Database {
    /// Takes up to `limit` notices that are due and forgets them at once.
    pub async fn take_deposit_notices(&self, limit: i64, _lease: Duration) -> Result<Vec<DepositNotice>, StoreError> {
        sqlx::query_as!(
            DepositNotice,
            "delete from deposit_notice
             where invoice_id in (
                 select invoice_id from deposit_notice where due_at <= now() order by due_at limit $1
                 for update skip locked
             )
             returning invoice_id, revision, attempts",
            limit,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("taking deposit notices"))
    }
}
