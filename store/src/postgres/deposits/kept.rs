//! What is kept of an output that was reported before.

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{domain::BaseUnits, invoices::Sighting};

use super::{
    Observation,
    identity::{is_same_address, is_same_asset},
    share::{Share, Terms},
    state::{state_of, word},
};
use crate::postgres::{StoreError, numeric::from_numeric};

const READING: &str = "reading a deposit";

pub(super) struct Kept {
    pub(super) invoice_id: Option<Uuid>,
    pub(super) sighting: Sighting,
    transaction_id: Uuid,
    address: String,
    coin_id: String,
    contract: Option<String>,
    amount: BaseUnits,
    decimals: u8,
    right_asset: bool,
    terms: Option<Terms>,
}

struct Row {
    transaction_id: Uuid,
    invoice_id: Option<Uuid>,
    address: String,
    coin_id: String,
    contract: Option<String>,
    amount: BigDecimal,
    decimals: i16,
    right_asset: bool,
    reported: String,
    final_version: Option<i64>,
    lost_version: Option<i64>,
    block_height: Option<i64>,
    block_hash: Option<String>,
    tip_height: i64,
    first_seen_at: DateTime<Utc>,
    observed_version: i64,
    confirmations: Option<i64>,
    expires_at: Option<DateTime<Utc>>,
}

impl Kept {
    /// Reads and locks the output. The lock lets a credit point to the output: whoever credits has locked its invoice,
    /// and whoever has locked an output waits for that invoice.
    pub(super) async fn lock(
        connection: &mut PgConnection,
        observation: &Observation,
    ) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select t.transaction_id, t.invoice_id, t.address, t.coin_id, t.contract, t.amount, t.decimals,
                      t.right_asset, t.reported, t.final_version, t.lost_version, t.block_height, t.block_hash,
                      t.tip_height, t.first_seen_at, t.observed_version,
                      (i.policy ->> 'confirmations')::bigint as confirmations, i.expires_at as "expires_at?"
               from invoice_transaction t left join invoice i on i.invoice_id = t.invoice_id
               where t.network_id = $1 and t.tx_id = $2 and t.output_ref = $3 for no key update of t"#,
            observation.network_id,
            observation.tx_id,
            observation.output_ref,
        )
        .fetch_optional(connection)
        .await
        .map_err(StoreError::during("finding a deposit"))?;
        row.map(Self::try_from).transpose()
    }

    /// Why `observation` cannot be of this output.
    pub(super) fn contradiction(&self, observation: &Observation) -> Option<&'static str> {
        if !is_same_address(&self.address, &observation.address) {
            return Some("the address of a known output cannot change");
        }
        let reported = (observation.coin_id.as_str(), observation.contract.as_deref());
        if !is_same_asset((self.coin_id.as_str(), self.contract.as_deref()), reported) {
            return Some("the asset of a known output cannot change");
        }
        if BaseUnits::parse(&observation.amount, self.decimals).as_ref() != Ok(&self.amount) {
            return Some("the amount of a known output cannot change");
        }
        None
    }

    /// Whether the sums of the invoice may change when the output becomes `sighting`. An invoice that an operator gave it
    /// to while we waited for the lock came without its terms.
    pub(super) fn changes_sums(&self, sighting: &Sighting) -> bool {
        let share = |sighting, terms| Share::of(sighting, self.right_asset, terms);
        self.terms.is_none_or(|terms| share(&self.sighting, terms) != share(sighting, terms))
    }

    /// Writes what all reports say together.
    pub(super) async fn write(&self, connection: &mut PgConnection, sighting: &Sighting) -> Result<(), StoreError> {
        sqlx::query!(
            "update invoice_transaction set state = $2, reported = $3, final_version = $4, lost_version = $5,
                 block_height = $6, block_hash = $7, tip_height = $8, first_seen_at = $9, observed_version = $10,
                 updated_at = now()
             where transaction_id = $1",
            self.transaction_id,
            word(sighting.state()),
            word(sighting.reported),
            sighting.final_version,
            sighting.lost_version,
            sighting.block_height,
            sighting.block_hash.as_deref(),
            sighting.tip_height,
            sighting.first_seen_at,
            sighting.version,
        )
        .execute(connection)
        .await
        .map_err(StoreError::during("updating a deposit"))?;
        Ok(())
    }
}

impl TryFrom<Row> for Kept {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let terms = match (row.confirmations, row.expires_at) {
            (Some(confirmations), Some(expires_at)) => Some(Terms { confirmations, expires_at }),
            _ => None,
        };
        let sighting = Sighting {
            reported: state_of(&row.reported).ok_or_else(|| StoreError::corrupt(READING, &row.reported))?,
            final_version: row.final_version,
            lost_version: row.lost_version,
            block_height: row.block_height,
            block_hash: row.block_hash,
            tip_height: row.tip_height,
            first_seen_at: row.first_seen_at,
            version: row.observed_version,
        };
        Ok(Self {
            invoice_id: row.invoice_id,
            sighting,
            transaction_id: row.transaction_id,
            address: row.address,
            coin_id: row.coin_id,
            contract: row.contract,
            amount: from_numeric(&row.amount)?,
            decimals: row.decimals.try_into().map_err(|_| StoreError::corrupt(READING, "decimals"))?,
            right_asset: row.right_asset,
            terms,
        })
    }
}

#[cfg(test)]
mod tests {
    use workflows::invoices::OutputState;

    use super::*;
    use crate::postgres::deposits::sighting::sighting;

    fn observation() -> Observation {
        Observation {
            network_id: "ethereum".to_owned(),
            coin_id: "usdt".to_owned(),
            contract: Some("0xAb".to_owned()),
            address: "0xCd".to_owned(),
            tx_id: "1".to_owned(),
            output_ref: "l:1".to_owned(),
            amount: "12.50".to_owned(),
            state: OutputState::Seen,
            block_height: None,
            block_hash: None,
            tip_height: 7,
            first_seen_at: DateTime::UNIX_EPOCH,
            version: 1,
        }
    }

    fn kept(terms: Option<Terms>) -> Kept {
        Kept {
            invoice_id: None,
            sighting: sighting(&observation()),
            transaction_id: Uuid::nil(),
            address: "0xcd".to_owned(),
            coin_id: "usdt".to_owned(),
            contract: Some("0xab".to_owned()),
            amount: 12_500_000.into(),
            decimals: 6,
            right_asset: true,
            terms,
        }
    }

    #[test]
    fn a_report_of_something_else_contradicts() {
        assert_eq!(kept(None).contradiction(&observation()), None);
        assert_eq!(kept(None).contradiction(&Observation { amount: "12.5".to_owned(), ..observation() }), None);
        let by_another_name = Observation { coin_id: "USDT".to_owned(), ..observation() };
        assert_eq!(kept(None).contradiction(&by_another_name), None, "a token is what its contract says");
        for other in [
            Observation { address: "0xce".to_owned(), ..observation() },
            Observation { contract: Some("0xAc".to_owned()), ..observation() },
            Observation { contract: None, ..observation() },
            Observation { amount: "12.51".to_owned(), ..observation() },
            Observation { amount: "12.5000001".to_owned(), ..observation() },
        ] {
            assert!(kept(None).contradiction(&other).is_some(), "{other:?}");
        }
    }

    #[test]
    fn without_terms_every_change_may_change_the_sums() {
        let again = sighting(&Observation { version: 2, ..observation() });
        let terms = Terms { confirmations: 3, expires_at: DateTime::UNIX_EPOCH };
        assert!(kept(None).changes_sums(&again));
        assert!(!kept(Some(terms)).changes_sums(&again));
    }
}
