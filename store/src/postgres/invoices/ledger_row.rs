//! An invoice as the transition function sees it, locked for the one who changes it.

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;
use workflows::{
    domain::BaseUnits,
    invoices::{
        InvoicePolicy, InvoiceTerms, Output, Standing,
        transition::{Effect, State},
    },
};

use crate::postgres::{StoreError, deposits::state_of, numeric::from_numeric};

pub(super) struct LedgerRow {
    pub(super) invoice_id: Uuid,
    pub(super) merchant_id: Uuid,
    pub(super) coin_id: String,
    pub(super) network_id: String,
    pub(super) decimals: i16,
    pub(super) terms: InvoiceTerms,
    pub(super) policy: InvoicePolicy,
    pub(super) state: State,
    pub(super) seen: BaseUnits,
    pub(super) confirmed: BaseUnits,
    pub(super) version: i64,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) cause: String,
    pub(super) deposit_revision: i64,
}

struct Row {
    merchant_id: Uuid,
    coin_id: String,
    network_id: String,
    decimals: i16,
    amount: BigDecimal,
    policy: Json<InvoicePolicy>,
    status: String,
    exception: String,
    seen: BigDecimal,
    confirmed: BigDecimal,
    version: i64,
    updated_at: DateTime<Utc>,
    cause: String,
    deposit_revision: i64,
    expires_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    released: bool,
}

struct OutputRow {
    transaction_id: Uuid,
    amount: BigDecimal,
    state: String,
    block_height: Option<i64>,
    tip_height: i64,
    first_seen_at: DateTime<Utc>,
    right_asset: bool,
}

impl LedgerRow {
    /// Reads and locks an invoice.
    pub(super) async fn lock(connection: &mut PgConnection, invoice_id: Uuid) -> Result<Self, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select i.merchant_id, i.coin_id, i.network_id, i.decimals, i.amount,
                      i.policy as "policy: Json<InvoicePolicy>", i.status::text as "status!", i.exception, i.seen,
                      i.confirmed, i.version, i.updated_at, e.cause, i.deposit_revision, i.expires_at, i.ended_at,
                      a.released_at is not null as "released!"
               from invoice i
               join invoice_event e on e.invoice_id = i.invoice_id and e.sequence = i.version
               join address_assignment a on a.invoice_id = i.invoice_id
               where i.invoice_id = $1 for update of i"#,
            invoice_id,
        )
        .fetch_one(connection)
        .await
        .map_err(StoreError::during("locking an invoice"))?;
        row.into_ledger_row(invoice_id)
    }

    /// The standing to tell the workflow, with what the transition wants done.
    pub(super) fn standing(&self, effects: &[Effect]) -> Standing {
        Standing {
            status: self.state.status,
            exception: self.state.exception,
            seen: self.seen.clone(),
            confirmed: self.confirmed.clone(),
            version: self.version,
            updated_at: self.updated_at,
            cause: self.cause.clone(),
            deposit_revision: self.deposit_revision,
            credit_due: effects.contains(&Effect::Credit),
            wake_at: effects.iter().find_map(|effect| match effect {
                Effect::Wake(at) => Some(*at),
                Effect::Credit | Effect::Release => None,
            }),
        }
    }
}

impl Row {
    fn into_ledger_row(self, invoice_id: Uuid) -> Result<LedgerRow, StoreError> {
        let unknown = |what| StoreError::corrupt("reading an invoice", what);
        let policy = self.policy.0;
        Ok(LedgerRow {
            invoice_id,
            merchant_id: self.merchant_id,
            coin_id: self.coin_id,
            network_id: self.network_id,
            decimals: self.decimals,
            terms: InvoiceTerms::new(from_numeric(&self.amount)?, self.expires_at, &policy),
            policy,
            state: State {
                status: self.status.parse().map_err(unknown)?,
                exception: self.exception.parse().map_err(unknown)?,
                ended_at: self.ended_at,
                released: self.released,
            },
            seen: from_numeric(&self.seen)?,
            confirmed: from_numeric(&self.confirmed)?,
            version: self.version,
            updated_at: self.updated_at,
            cause: self.cause,
            deposit_revision: self.deposit_revision,
        })
    }
}

/// Every output that belongs to an invoice.
pub(super) async fn outputs(connection: &mut PgConnection, invoice_id: Uuid) -> Result<Vec<Output>, StoreError> {
    let rows = sqlx::query_as!(
        OutputRow,
        "select transaction_id, amount, state, block_height, tip_height, first_seen_at, right_asset
         from invoice_transaction where invoice_id = $1 order by first_seen_at, transaction_id",
        invoice_id,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::during("reading deposits"))?;
    rows.into_iter().map(Output::try_from).collect()
}

impl TryFrom<OutputRow> for Output {
    type Error = StoreError;

    fn try_from(row: OutputRow) -> Result<Self, StoreError> {
        Ok(Self {
            transaction_id: row.transaction_id,
            amount: from_numeric(&row.amount)?,
            state: state_of(&row.state).ok_or_else(|| StoreError::corrupt("reading a deposit", &row.state))?,
            block_height: row.block_height,
            tip_height: row.tip_height,
            first_seen_at: row.first_seen_at,
            right_asset: row.right_asset,
        })
    }
}
