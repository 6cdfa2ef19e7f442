use std::time::Duration;

use super::DepositNotice;
use crate::postgres::{Database, StoreError};

impl Database {
    /// Takes up to `limit` notices that are due; each comes back after `lease` unless it is forgotten until then.
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
