use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Observation, Recorded, identity::transaction_key, insert::insert, kept::Kept, sighting::sighting};
use crate::postgres::{Database, StoreError, notices::leave_notice};

impl Database {
    /// Keeps an observation under its identity (network, transaction, output), whatever came before and in whatever
    /// order, and leaves a notice for the relay when the sums of an invoice change.
    pub async fn record_observation(&self, observation: &Observation) -> Result<Recorded, StoreError> {
        let failed = StoreError::during("keeping an observation");
        let observation = Observation { tx_id: transaction_key(&observation.tx_id), ..observation.clone() };
        let mut transaction = self.transaction().await.map_err(&failed)?;
        let recorded = record(&mut transaction, &observation).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(recorded)
    }

    /// Network and address of an invoice, and since when it has it.
    pub async fn find_invoice_address(
        &self,
        invoice_id: Uuid,
    ) -> Result<Option<(String, String, DateTime<Utc>)>, StoreError> {
        let row = sqlx::query!(
            "select d.network_id, d.address, a.assigned_at
             from address_assignment a join deposit_address d using (address_id) where a.invoice_id = $1",
            invoice_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an invoice's address"))?;
        Ok(row.map(|row| (row.network_id, row.address, row.assigned_at)))
    }
}

async fn record(connection: &mut PgConnection, observation: &Observation) -> Result<Recorded, StoreError> {
    if let Some(kept) = Kept::lock(connection, observation).await? {
        return update(connection, observation, &kept).await;
    }
    if let Some(recorded) = insert(connection, observation).await? {
        return Ok(recorded);
    }
    match Kept::lock(connection, observation).await? {
        Some(kept) => update(connection, observation, &kept).await,
        None => Err(StoreError::corrupt("inserting a deposit", "it is there and it is not")),
    }
}

/// Merges a report into what is kept. The identity, the amount and the invoice stay.
async fn update(connection: &mut PgConnection, observation: &Observation, kept: &Kept) -> Result<Recorded, StoreError> {
    if let Some(contradiction) = kept.contradiction(observation) {
        return Ok(Recorded::Rejected(contradiction));
    }
    let merged = kept.sighting.merge(&sighting(observation));
    let is_news = merged != kept.sighting;
    if is_news {
        kept.write(connection, &merged).await?;
    }
    if let Some(invoice_id) = kept.invoice_id.filter(|_| is_news && kept.changes_sums(&merged)) {
        leave_notice(connection, invoice_id).await?;
    }
    Ok(match observation.version.cmp(&kept.sighting.version) {
        Ordering::Less => Recorded::Stale,
        Ordering::Equal if !is_news => Recorded::Duplicate,
        _ if kept.invoice_id.is_none() => Recorded::Unmatched,
        _ => Recorded::Accepted,
    })
}
