use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use workflows::{domain::BaseUnits, invoices::OutputState};

use super::state::state_of;
use crate::postgres::{Database, StoreError, numeric::from_numeric};

const READING: &str = "reading a deposit";

/// An output as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDeposit {
    /// Its id.
    pub deposit_id: Uuid,
    /// The invoice that it belongs to, if it is known.
    pub invoice_id: Option<Uuid>,
    /// The expired, unpaid invoice that had the address before and asked for just this.
    pub ambiguous_with: Option<Uuid>,
    /// Network that it is on.
    pub network_id: String,
    /// Coin, by the watcher's name for it.
    pub coin_id: String,
    /// Contract of the token.
    pub contract: Option<String>,
    /// Address that was paid.
    pub address: String,
    /// Transaction.
    pub tx_id: String,
    /// Output of the transaction.
    pub output_ref: String,
    /// Amount.
    pub amount: BaseUnits,
    /// Digits after the point.
    pub decimals: u8,
    /// Where it is on its chain.
    pub state: OutputState,
    /// Height of its block.
    pub block_height: Option<i64>,
    /// Highest block that any report of it knew.
    pub tip_height: i64,
    /// When a watcher saw it first.
    pub first_seen_at: DateTime<Utc>,
    /// When it was first reported.
    pub created_at: DateTime<Utc>,
}

/// Which deposits a person has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepositResult {
    /// Those of no invoice.
    Unmatched,
    /// Those that an earlier invoice on the same address may have been paid with.
    Ambiguous,
}

pub(super) struct Row {
    pub(super) transaction_id: Uuid,
    pub(super) invoice_id: Option<Uuid>,
    pub(super) ambiguous_with: Option<Uuid>,
    pub(super) network_id: String,
    pub(super) coin_id: String,
    pub(super) contract: Option<String>,
    pub(super) address: String,
    pub(super) tx_id: String,
    pub(super) output_ref: String,
    pub(super) amount: BigDecimal,
    pub(super) decimals: i16,
    pub(super) state: String,
    pub(super) block_height: Option<i64>,
    pub(super) tip_height: i64,
    pub(super) first_seen_at: DateTime<Utc>,
    pub(super) created_at: DateTime<Utc>,
}

impl Database {
    /// Up to `limit` deposits, newest first, that come after the one of time and id `after`.
    pub async fn list_deposits(
        &self,
        result: DepositResult,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<KeptDeposit>, StoreError> {
        let rows = match result {
            DepositResult::Unmatched => self.unmatched_deposits(after, limit).await,
            DepositResult::Ambiguous => self.ambiguous_deposits(after, limit).await,
        };
        let rows = rows.map_err(StoreError::during("listing deposits"))?;
        rows.into_iter().map(KeptDeposit::try_from).collect()
    }

    async fn unmatched_deposits(
        &self,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let (created_at, deposit_id) = after.unzip();
        sqlx::query_as!(
            Row,
            "select transaction_id, invoice_id, ambiguous_with, network_id, coin_id, contract, address, tx_id, output_ref,
                    amount, decimals, state, block_height, tip_height, first_seen_at, created_at
             from invoice_transaction
             where invoice_id is null
               and ($1::timestamptz is null or (created_at, transaction_id) < ($1, $2))
             order by created_at desc, transaction_id desc limit $3",
            created_at,
            deposit_id,
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }

    async fn ambiguous_deposits(
        &self,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let (created_at, deposit_id) = after.unzip();
        sqlx::query_as!(
            Row,
            "select transaction_id, invoice_id, ambiguous_with, network_id, coin_id, contract, address, tx_id, output_ref,
                    amount, decimals, state, block_height, tip_height, first_seen_at, created_at
             from invoice_transaction
             where ambiguous_with is not null
               and ($1::timestamptz is null or (created_at, transaction_id) < ($1, $2))
             order by created_at desc, transaction_id desc limit $3",
            created_at,
            deposit_id,
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }
}

impl TryFrom<Row> for KeptDeposit {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            deposit_id: row.transaction_id,
            invoice_id: row.invoice_id,
            ambiguous_with: row.ambiguous_with,
            network_id: row.network_id,
            coin_id: row.coin_id,
            contract: row.contract,
            address: row.address,
            tx_id: row.tx_id,
            output_ref: row.output_ref,
            amount: from_numeric(&row.amount)?,
            decimals: row.decimals.try_into().map_err(|_| StoreError::corrupt(READING, "decimals"))?,
            state: state_of(&row.state).ok_or_else(|| StoreError::corrupt(READING, &row.state))?,
            block_height: row.block_height,
            tip_height: row.tip_height,
            first_seen_at: row.first_seen_at,
            created_at: row.created_at,
        })
    }
}
