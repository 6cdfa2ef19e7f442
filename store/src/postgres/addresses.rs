use uuid::Uuid;

use super::{Database, StoreError};

impl Database {
    /// Adds free addresses to a merchant's pool, by one statement.
    pub async fn insert_addresses(
        &self,
        user_id: Uuid,
        network_id: &str,
        addresses: &[String],
    ) -> Result<(), StoreError> {
        let ids: Vec<_> = addresses.iter().map(|_| Uuid::now_v7()).collect();
        sqlx::query!(
            "insert into deposit_address (address_id, network_id, address, user_id, available_at)
             select address_id, $1, address, $2, now() from unnest($3::uuid[], $4::text[]) as new (address_id, address)",
            network_id,
            user_id,
            &ids,
            addresses,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("adding addresses to a pool"))?;
        Ok(())
    }
}
