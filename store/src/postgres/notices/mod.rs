//! What the relay has yet to tell the workflows.

#[cfg(not(feature = "lossy-relay"))]
mod leased;
#[cfg(feature = "lossy-relay")]
mod lossy;

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{Database, StoreError};

/// Channel on which a new notice is announced.
pub const CHANNEL: &str = "deposit_notice";

/// The deposits of an invoice changed and its workflow has not been told yet.
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
    /// The workflow was told, and Temporal keeps that: the notice is done with. Counting the deposits is no reason to
    /// forget it, for a workflow task that counted them may be lost with all that it learned.
    pub async fn forget_deposit_notice(&self, told: &DepositNotice) -> Result<(), StoreError> {
        forget_notice(&self.pool, told.invoice_id, told.revision).await
    }
}

/// The sums of an invoice changed: its workflow has to hear of it. This locks the invoice; whoever has locked an output
/// before waits for nobody who waits for that output.
pub(super) async fn leave_notice(connection: &mut PgConnection, invoice_id: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "with changed as (
             update invoice set deposit_revision = deposit_revision + 1 where invoice_id = $1
             returning invoice_id, deposit_revision
         ), noticed as (
             insert into deposit_notice (invoice_id, revision, due_at)
             select invoice_id, deposit_revision, now() from changed
             on conflict (invoice_id) do update set revision = excluded.revision, due_at = excluded.due_at, attempts = 0
         )
         select pg_notify($2, invoice_id::text) from changed",
        invoice_id,
        CHANNEL,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::during("leaving a notice"))?;
    Ok(())
}

/// One that was left since then stays.
pub(super) async fn forget_notice(
    executor: impl PgExecutor<'_>,
    invoice_id: Uuid,
    revision: i64,
) -> Result<(), StoreError> {
    sqlx::query!("delete from deposit_notice where invoice_id = $1 and revision <= $2", invoice_id, revision)
        .execute(executor)
        .await
        .map_err(StoreError::during("forgetting a notice"))?;
    Ok(())
}
