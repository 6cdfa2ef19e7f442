use chrono::{DateTime, Utc};
use uuid::Uuid;
use workflows::invoices::{InvoiceException, InvoiceStatus};

use super::{Invoice, read::Row};
use crate::postgres::{Database, StoreError};

/// What a list is restricted to.
#[derive(Debug, Clone, Default)]
pub struct InvoiceFilter {
    /// Status.
    pub status: Option<InvoiceStatus>,
    /// Exception.
    pub exception: Option<InvoiceException>,
    /// Coin.
    pub coin_id: Option<String>,
    /// Network.
    pub network_id: Option<String>,
    /// The merchant's own id.
    pub external_id: Option<String>,
    /// Created at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Created before this time.
    pub created_to: Option<DateTime<Utc>>,
}

/// A place in a list: the last invoice that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Its beginning.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub invoice_id: Uuid,
}

impl Database {
    /// Up to `limit` invoices of a merchant, newest first, that come after `after`.
    pub async fn list_invoices(
        &self,
        merchant_id: Uuid,
        filter: &InvoiceFilter,
        after: Option<Position>,
        limit: i64,
    ) -> Result<Vec<Invoice>, StoreError> {
        let failed = StoreError::during("listing invoices");
        let mut search = self.search_transaction().await.map_err(&failed)?;
        let rows = sqlx::query_as!(
            Row,
            r#"select i.invoice_id, i.merchant_id, i.coin_id, i.network_id, a.address as deposit_address, i.amount,
                      i.decimals, i.contract, i.title, i.description, i.checkout_url, i.external_id,
                      i.status::text as "status!", i.exception, i.seen, i.confirmed, i.late, i.version,
                      i.fingerprint, i.form_id, i.created_at, i.updated_at, i.expires_at, i.late_accepted_at
               from invoice i join deposit_address a on a.address_id = i.deposit_address_id
               where i.merchant_id = $1
                 and ($2::text is null or i.status = $2::text::invoice_status)
                 and ($3::text is null or i.exception = $3)
                 and ($4::text is null or i.coin_id = $4)
                 and ($5::text is null or i.network_id = $5)
                 and ($6::text is null or i.external_id = $6)
                 and ($7::timestamptz is null or i.created_at >= $7)
                 and ($8::timestamptz is null or i.created_at < $8)
                 and ($9::timestamptz is null or (i.created_at, i.invoice_id) < ($9, $10))
               order by i.created_at desc, i.invoice_id desc limit $11"#,
            merchant_id,
            filter.status.map(InvoiceStatus::as_str),
            filter.exception.map(InvoiceException::as_str),
            filter.coin_id.as_deref(),
            filter.network_id.as_deref(),
            filter.external_id.as_deref(),
            filter.created_from,
            filter.created_to,
            after.map(|position| position.created_at),
            after.map(|position| position.invoice_id),
            limit,
        )
        .fetch_all(&mut *search)
        .await
        .map_err(&failed)?;
        rows.into_iter().map(Invoice::try_from).collect()
    }

    /// The versions of those of `invoices` that exist.
    pub async fn invoice_versions(&self, invoices: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let rows = sqlx::query!("select invoice_id, version from invoice where invoice_id = any($1)", invoices)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::during("reading versions"))?;
        Ok(rows.into_iter().map(|row| (row.invoice_id, row.version)).collect())
    }
}
