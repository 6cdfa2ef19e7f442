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
    /// After its time and not accepted, confirmed or not.
    pub late: BaseUnits,
    /// Number of its last event.
    pub version: i64,
    /// HMAC of the request that created it.
    pub fingerprint: String,
    /// The form that a buyer filled; none when the merchant asked himself.
    pub form_id: Option<Uuid>,
    /// Beginning.
    pub created_at: DateTime<Utc>,
    /// Time of its last event.
    pub updated_at: DateTime<Utc>,
    /// End of the time to pay.
    pub expires_at: DateTime<Utc>,
    /// When the merchant last accepted what had come late until then.
    pub late_accepted_at: Option<DateTime<Utc>>,
}

/// An invoice as it is read from its row.
pub(super) struct Row {
    pub(super) invoice_id: Uuid,
    pub(super) merchant_id: Uuid,
    pub(super) coin_id: String,
    pub(super) network_id: String,
    pub(super) deposit_address: String,
    pub(super) amount: BigDecimal,
    pub(super) decimals: i16,
    pub(super) contract: Option<String>,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) checkout_url: String,
    pub(super) external_id: Option<String>,
    pub(super) status: String,
    pub(super) exception: String,
    pub(super) seen: BigDecimal,
    pub(super) confirmed: BigDecimal,
    pub(super) late: BigDecimal,
    pub(super) version: i64,
    pub(super) fingerprint: String,
    pub(super) form_id: Option<Uuid>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) late_accepted_at: Option<DateTime<Utc>>,
}

impl Database {
    /// An invoice by its id.
    pub async fn find_invoice(&self, invoice_id: Uuid) -> Result<Option<Invoice>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select i.invoice_id, i.merchant_id, i.coin_id, i.network_id, a.address as deposit_address, i.amount,
                      i.decimals, i.contract, i.title, i.description, i.checkout_url, i.external_id,
                      i.status::text as "status!", i.exception, i.seen, i.confirmed, i.late, i.version,
                      i.fingerprint, i.form_id, i.created_at, i.updated_at, i.expires_at, i.late_accepted_at
               from invoice i join deposit_address a on a.address_id = i.deposit_address_id
               where i.invoice_id = $1"#,
            invoice_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an invoice"))?;
        row.map(Invoice::try_from).transpose()
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
            late: from_numeric(&row.late)?,
            version: row.version,
            fingerprint: row.fingerprint,
            form_id: row.form_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
            late_accepted_at: row.late_accepted_at,
        })
    }
}
