use uuid::Uuid;

use super::{Database, StoreError};

impl Database {
    /// Adds a free address to a merchant's pool.
    pub async fn insert_address(&self, user_id: Uuid, network_id: &str, address: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into deposit_address (address_id, network_id, address, user_id, available_at)
             values ($1, $2, $3, $4, now())",
            Uuid::now_v7(),
            network_id,
            address,
            user_id,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("adding an address to a pool"))?;
        Ok(())
    }
}
