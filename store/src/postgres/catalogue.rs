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
    /// Confirmations that make a deposit count, where no tier says otherwise.
    pub confirmations: u32,
    /// Where larger invoices need more, from the lowest tier to the highest.
    pub confirmation_tiers: Vec<ConfirmationTier>,
    /// Smallest amount of an invoice.
    pub minimum: BaseUnits,
    /// Whether new invoices may ask for it.
    pub available: bool,
}

/// From which amount on an invoice needs how many confirmations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationTier {
    /// Lowest amount due.
    pub from: BaseUnits,
    /// Confirmations that make a deposit count.
    pub confirmations: u32,
}

impl PaymentOption {
    /// Confirmations that make a deposit count for an invoice over `due`.
    pub fn confirmations_for(&self, due: &BaseUnits) -> u32 {
        let highest = self.confirmation_tiers.iter().rfind(|tier| tier.from <= *due);
        highest.map_or(self.confirmations, |tier| tier.confirmations)
    }
}

struct Row {
    coin_id: String,
    coin_name: String,
    network_id: String,
    network_name: String,
    decimals: i16,
    contract: Option<String>,
    confirmations: i32,
    tier_amounts: Vec<BigDecimal>,
    tier_confirmations: Vec<i32>,
    minimum: BigDecimal,
    available: bool,
}

impl Database {
    /// Every payment option, in a stable order.
    pub async fn list_payment_options(&self) -> Result<Vec<PaymentOption>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select o.coin_id, c.name as coin_name, o.network_id, n.name as network_name, o.decimals, o.contract,
                      n.confirmations, o.minimum, o.available,
                      array(select t.from_amount from confirmation_tier t
                            where t.coin_id = o.coin_id and t.network_id = o.network_id
                            order by t.from_amount) as "tier_amounts!",
                      array(select t.confirmations from confirmation_tier t
                            where t.coin_id = o.coin_id and t.network_id = o.network_id
                            order by t.from_amount) as "tier_confirmations!"
               from payment_option o join coin c using (coin_id) join network n using (network_id)
               order by o.network_id, o.coin_id"#,
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
        let tiers = row.tier_amounts.iter().zip(row.tier_confirmations);
        Ok(Self {
            coin_id: row.coin_id,
            coin_name: row.coin_name,
            network_id: row.network_id,
            network_name: row.network_name,
            decimals: row.decimals.try_into().map_err(corrupt)?,
            contract: row.contract,
            confirmations: row.confirmations.try_into().map_err(corrupt)?,
            confirmation_tiers: tiers.map(ConfirmationTier::try_from).collect::<Result<_, _>>()?,
            minimum: from_numeric(&row.minimum)?,
            available: row.available,
        })
    }
}

impl TryFrom<(&BigDecimal, i32)> for ConfirmationTier {
    type Error = StoreError;

    fn try_from((from, confirmations): (&BigDecimal, i32)) -> Result<Self, StoreError> {
        let corrupt = |_| StoreError::corrupt("reading a confirmation tier", "a number is out of range");
        Ok(Self { from: from_numeric(from)?, confirmations: confirmations.try_into().map_err(corrupt)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_invoice_needs_more_confirmations() {
        let tier = |from: u64, confirmations| ConfirmationTier { from: from.into(), confirmations };
        let option = PaymentOption {
            coin_id: "btc".to_owned(),
            coin_name: "Bitcoin".to_owned(),
            network_id: "bitcoin".to_owned(),
            network_name: "Bitcoin".to_owned(),
            decimals: 8,
            contract: None,
            confirmations: 3,
            confirmation_tiers: vec![tier(100, 6), tier(1000, 12)],
            minimum: 1.into(),
            available: true,
        };
        for (due, confirmations) in [(1_u64, 3), (99, 3), (100, 6), (999, 6), (1000, 12), (u64::MAX, 12)] {
            assert_eq!(option.confirmations_for(&due.into()), confirmations, "{due}");
        }
        let without_tiers = PaymentOption { confirmation_tiers: Vec::new(), ..option };
        assert_eq!(without_tiers.confirmations_for(&u64::MAX.into()), 3);
    }
}
