//! API keys: only the hash of a key is kept.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Database, StoreError};

/// Who a key speaks for, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Id of the key, for listing and revoking.
    pub key_id: Uuid,
    /// `kind:name`, such as `merchant:<uuid>`.
    pub principal: String,
    /// What the key may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stopped working.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Database {
    /// Keeps the hash of a new key.
    pub async fn insert_api_key(&self, hash: &[u8], principal: &str, scopes: &[String]) -> Result<Uuid, StoreError> {
        let key_id = Uuid::now_v7();
        sqlx::query!(
            "insert into api_key (key_id, key_hash, principal, scopes) values ($1, $2, $3, $4)",
            key_id,
            hash,
            principal,
            scopes,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("keeping an API key"))?;
        Ok(key_id)
    }

    /// The key with this hash, unless it was revoked.
    pub async fn find_api_key(&self, hash: &[u8]) -> Result<Option<ApiKey>, StoreError> {
        sqlx::query_as!(
            ApiKey,
            "select key_id, principal, scopes, created_at, revoked_at from api_key
             where key_hash = $1 and revoked_at is null",
            hash,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an API key"))
    }

    /// Every key, newest first.
    pub async fn list_api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        sqlx::query_as!(
            ApiKey,
            "select key_id, principal, scopes, created_at, revoked_at from api_key order by created_at desc, key_id desc",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("listing the API keys"))
    }

    /// Stops a key from working. False when there is no such key that works.
    pub async fn revoke_api_key(&self, key_id: Uuid) -> Result<bool, StoreError> {
        let revoked =
            sqlx::query!("update api_key set revoked_at = now() where key_id = $1 and revoked_at is null", key_id,)
                .execute(&self.pool)
                .await
                .map_err(StoreError::during("revoking an API key"))?;
        Ok(revoked.rows_affected() == 1)
    }
}
