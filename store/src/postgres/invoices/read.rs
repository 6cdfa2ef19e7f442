use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use workflows::{
    domain::BaseUnits,
    invoices::{InvoiceException, InvoiceStatus},
};

use crate::postgres::{Database, StoreError, numeric::from_numeric};

/// An invoice as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its id.
    pub invoice_id: Uuid,
    /// Its owner.
    pub merchant_id: Uuid,
    /// Coin that is due.
    pub coin_id: String,
    /// Network to pay on.
    pub network_id: String,
    /// Where to pay.
    pub deposit_address: String,
    /// Amount due.
    pub amount: BaseUnits,
    /// Digits after the point.
    pub decimals: u8,
    /// Contract of the token; none for a network's native coin.
    pub contract: Option<String>,
    /// Shown to the buyer.
    pub title: String,
    /// Shown to the buyer.
    pub description: String,
    /// Where the buyer goes after paying.
    pub checkout_url: String,
    /// The merchant's own id.
    pub external_id: Option<String>,
    /// Status in the words of the source.
    pub status: InvoiceStatus,
    /// What is unusual about its money.
    pub exception: InvoiceException,
    /// Seen in time, confirmed or not.
    pub seen: BaseUnits,
    /// Confirmed in time.
    pub confirmed: BaseUnits,
    /// Number of its last event.
    pub version: i64,
    /// HMAC of the request that created it.
    pub fingerprint: String,
    /// Beginning.
    pub created_at: DateTime<Utc>,
    /// Time of its last event.
    pub updated_at: DateTime<Utc>,
    /// End of the time to pay.
    pub expires_at: DateTime<Utc>,
}

/// What an event says of its invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceEvent {
    /// Number of the event: the invoice's version since then.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Status from then on.
    pub to: InvoiceStatus,
    /// Exception from then on.
    pub exception: InvoiceException,
    /// Money seen.
    pub seen: BaseUnits,
    /// Money confirmed.
    pub confirmed: BaseUnits,
    /// HMAC of the request that caused it, if one did.
    pub fingerprint: Option<String>,
}

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

struct Row {
    invoice_id: Uuid,
    merchant_id: Uuid,
    coin_id: String,
    network_id: String,
    deposit_address: String,
    amount: BigDecimal,
    decimals: i16,
    contract: Option<String>,
    title: String,
    description: String,
    checkout_url: String,
    external_id: Option<String>,
    status: String,
    exception: String,
    seen: BigDecimal,
    confirmed: BigDecimal,
    version: i64,
    fingerprint: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

struct EventRow {
    sequence: i64,
    at: DateTime<Utc>,
    to_status: String,
    exception: String,
    seen: BigDecimal,
    confirmed: BigDecimal,
    fingerprint: Option<String>,
}

impl Database {
    /// An invoice by its id.
    pub async fn find_invoice(&self, invoice_id: Uuid) -> Result<Option<Invoice>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select i.invoice_id, i.merchant_id, i.coin_id, i.network_id, a.address as deposit_address, i.amount,
                      i.decimals, i.contract, i.title, i.description, i.checkout_url, i.external_id,
                      i.status::text as "status!", i.exception, i.seen, i.confirmed, i.version, i.fingerprint,
                      i.created_at, i.updated_at, i.expires_at
               from invoice i join deposit_address a on a.address_id = i.deposit_address_id
               where i.invoice_id = $1"#,
            invoice_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an invoice"))?;
        row.map(Invoice::try_from).transpose()
    }

    /// Up to `limit` invoices of a merchant, newest first, that come after `after`.
    pub async fn list_invoices(
        &self,
        merchant_id: Uuid,
        filter: &InvoiceFilter,
        after: Option<Position>,
        limit: i64,
    ) -> Result<Vec<Invoice>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select i.invoice_id, i.merchant_id, i.coin_id, i.network_id, a.address as deposit_address, i.amount,
                      i.decimals, i.contract, i.title, i.description, i.checkout_url, i.external_id,
                      i.status::text as "status!", i.exception, i.seen, i.confirmed, i.version, i.fingerprint,
                      i.created_at, i.updated_at, i.expires_at
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
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("listing invoices"))?;
        rows.into_iter().map(Invoice::try_from).collect()
    }

    /// The event of an invoice that `cause` brought about.
    pub async fn find_invoice_event(&self, invoice_id: Uuid, cause: &str) -> Result<Option<InvoiceEvent>, StoreError> {
        let row = sqlx::query_as!(
            EventRow,
            r#"select sequence, at, to_status::text as "to_status!", exception, seen, confirmed, fingerprint
               from invoice_event where invoice_id = $1 and cause = $2"#,
            invoice_id,
            cause,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an event"))?;
        row.map(InvoiceEvent::try_from).transpose()
    }
}

impl TryFrom<Row> for Invoice {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unknown = |what| StoreError::corrupt("reading an invoice", what);
        Ok(Self {
            invoice_id: row.invoice_id,
            merchant_id: row.merchant_id,
            coin_id: row.coin_id,
            network_id: row.network_id,
            deposit_address: row.deposit_address,
            amount: from_numeric(&row.amount)?,
            decimals: row.decimals.try_into().map_err(|_| StoreError::corrupt("reading an invoice", "decimals"))?,
            contract: row.contract,
            title: row.title,
            description: row.description,
            checkout_url: row.checkout_url,
            external_id: row.external_id,
            status: row.status.parse().map_err(unknown)?,
            exception: row.exception.parse().map_err(unknown)?,
            seen: from_numeric(&row.seen)?,
            confirmed: from_numeric(&row.confirmed)?,
            version: row.version,
            fingerprint: row.fingerprint,
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
        })
    }
}

impl TryFrom<EventRow> for InvoiceEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let unknown = |what| StoreError::corrupt("reading an event", what);
        Ok(Self {
            sequence: row.sequence,
            at: row.at,
            to: row.to_status.parse().map_err(unknown)?,
            exception: row.exception.parse().map_err(unknown)?,
            seen: from_numeric(&row.seen)?,
            confirmed: from_numeric(&row.confirmed)?,
            fingerprint: row.fingerprint,
        })
    }
}
