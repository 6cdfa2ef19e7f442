//! The coins and networks that an invoice can be paid in.

use bigdecimal::BigDecimal;
use workflows::domain::BaseUnits;

use super::{Database, StoreError, numeric::from_numeric};

/// One coin on one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentOption {
    /// Id of the coin.
    pub coin_id: String,
    /// Name of the coin.
    pub coin_name: String,
    /// Id of the network.
    pub network_id: String,
    /// Name of the network.
    pub network_name: String,
    /// Digits after the point.
    pub decimals: u8,
    /// Contract of the token; none for the network's native coin.
    pub contract: Option<String>,
    /// Confirmations that make a deposit count.
    pub confirmations: u32,
    /// Smallest amount of an invoice.
    pub minimum: BaseUnits,
    /// Whether new invoices may ask for it.
    pub available: bool,
}

struct Row {
    coin_id: String,
    coin_name: String,
    network_id: String,
    network_name: String,
    decimals: i16,
    contract: Option<String>,
    confirmations: i32,
    minimum: BigDecimal,
    available: bool,
}

impl Database {
    /// Every payment option, in a stable order.
    pub async fn list_payment_options(&self) -> Result<Vec<PaymentOption>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select o.coin_id, c.name as coin_name, o.network_id, n.name as network_name, o.decimals, o.contract,
                    n.confirmations, o.minimum, o.available
             from payment_option o join coin c using (coin_id) join network n using (network_id)
             order by o.network_id, o.coin_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("listing the payment options"))?;
        rows.into_iter().map(PaymentOption::try_from).collect()
    }
}

impl TryFrom<Row> for PaymentOption {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |_| StoreError::corrupt("reading a payment option", "a number is out of range");
        Ok(Self {
            coin_id: row.coin_id,
            coin_name: row.coin_name,
            network_id: row.network_id,
            network_name: row.network_name,
            decimals: row.decimals.try_into().map_err(corrupt)?,
            contract: row.contract,
            confirmations: row.confirmations.try_into().map_err(corrupt)?,
            minimum: from_numeric(&row.minimum)?,
            available: row.available,
        })
    }
}
