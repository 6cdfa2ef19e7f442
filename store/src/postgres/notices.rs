//! What the relay has yet to tell the workflows.

use std::time::Duration;

use uuid::Uuid;

use super::{Database, StoreError};

/// Channel on which a new notice is announced.
pub const CHANNEL: &str = "deposit_notice";

/// The deposits of an invoice changed and its workflow has not counted them yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepositNotice {
    /// Which invoice.
    pub invoice_id: Uuid,
    /// Revision of its deposits.
    pub revision: i64,
    /// How often this was tried.
    pub attempts: i32,
}

impl Database {
    /// Takes up to `limit` notices that are due; each comes back after `lease` if it is still there then. Counting the
    /// deposits removes it.
    pub async fn take_deposit_notices(&self, limit: i64, lease: Duration) -> Result<Vec<DepositNotice>, StoreError> {
        sqlx::query_as!(
            DepositNotice,
            "update deposit_notice set due_at = now() + make_interval(secs => $2), attempts = attempts + 1
             where invoice_id in (
                 select invoice_id from deposit_notice where due_at <= now() order by due_at limit $1
                 for update skip locked
             )
             returning invoice_id, revision, attempts",
            limit,
            lease.as_secs_f64(),
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("taking deposit notices"))
    }
}
