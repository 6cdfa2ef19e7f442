use uuid::Uuid;

use crate::postgres::{Database, StoreError};

/// What somebody tried to do with a gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiftAttempt {
    /// To use it.
    Use,
    /// To undo its use.
    Void,
}

/// An attempt, with what came of it. Nothing of a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// What was tried.
    pub attempt: GiftAttempt,
    /// With which gift, as it was written.
    pub gift_id: String,
    /// The supplier whose device tried it.
    pub supplier_code: String,
    /// The account that it spoke for, as far as that was found out.
    pub supplier_account: Option<String>,
    /// The device, as its principal is written.
    pub device: String,
    /// A code: of a refusal, `used` or `voided`.
    pub result: String,
    /// The redemption that it would have been, or that it is about.
    pub redemption_id: Option<Uuid>,
}

impl GiftAttempt {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Void => "void",
        }
    }
}

impl Database {
    /// Logs an attempt that was refused before the gift was looked for. What [`Database::redeem_gift`] and
    /// [`Database::void_gift`] decide, they log themselves.
    pub async fn audit_gift(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into gift_audit (attempt, gift_id, supplier_code, supplier_account, device, result, redemption_id)
             values ($1, $2, $3, $4, $5, $6, $7)",
            entry.attempt.as_str(),
            entry.gift_id,
            entry.supplier_code,
            entry.supplier_account.as_deref(),
            entry.device,
            entry.result,
            entry.redemption_id,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("logging an attempt"))?;
        Ok(())
    }
}
