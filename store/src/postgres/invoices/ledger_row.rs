//! An invoice as the transition function sees it, locked for the one who changes it.

use bigdecimal::BigDecimal;
use chrono::{DateTime, SubsecRound, Utc};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;
use workflows::{
    domain::BaseUnits,
    invoices::{
        InvoicePolicy, InvoiceTerms, Standing,
        transition::{Effect, State},
    },
};

use crate::postgres::{StoreError, database::SECOND_DIGITS, numeric::from_numeric};

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
    pub(super) late: BaseUnits,
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
    late: BigDecimal,
    version: i64,
    updated_at: DateTime<Utc>,
    cause: String,
    deposit_revision: i64,
    expires_at: DateTime<Utc>,
    late_accepted_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    released: bool,
}

impl LedgerRow {
    /// Locks an invoice and reads it. The lock lets rows be added that point to the invoice: a report of money waits for
    /// it only to tell of itself, when all its other locks are taken.
    pub(super) async fn lock(connection: &mut PgConnection, invoice_id: Uuid) -> Result<Self, StoreError> {
        // A statement of its own: the next one sees all that was committed while this one waited.
        sqlx::query_scalar!("select version from invoice where invoice_id = $1 for no key update", invoice_id)
            .fetch_one(&mut *connection)
            .await
            .map_err(StoreError::during("locking an invoice"))?;
        let row = sqlx::query_as!(
            Row,
            r#"select i.merchant_id, i.coin_id, i.network_id, i.decimals, i.amount,
                      i.policy as "policy: Json<InvoicePolicy>", i.status::text as "status!", i.exception, i.seen,
                      i.confirmed, i.late, i.version, i.updated_at, e.cause, i.deposit_revision, i.expires_at,
                      i.late_accepted_at, i.ended_at, a.released_at is not null as "released!"
               from invoice i
               join invoice_event e on e.invoice_id = i.invoice_id and e.sequence = i.version
               join address_assignment a on a.invoice_id = i.invoice_id
               where i.invoice_id = $1"#,
            invoice_id,
        )
        .fetch_one(connection)
        .await
        .map_err(StoreError::during("reading a locked invoice"))?;
        row.into_ledger_row(invoice_id)
    }

    /// The time of the next event. Whatever the clocks of those say who write here, the log does not go back.
    pub(super) fn next_event_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.max(self.updated_at).trunc_subsecs(SECOND_DIGITS)
    }

    /// The standing to tell the workflow, with what the transition wants done.
    pub(super) fn standing(&self, effects: &[Effect]) -> Standing {
        Standing {
            status: self.state.status,
            exception: self.state.exception,
            seen: self.seen.clone(),
            confirmed: self.confirmed.clone(),
            late: self.late.clone(),
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
        let terms = InvoiceTerms::new(from_numeric(&self.amount)?, self.expires_at, &policy)
            .with_late_accepted(self.late_accepted_at, &policy);
        Ok(LedgerRow {
            invoice_id,
            merchant_id: self.merchant_id,
            coin_id: self.coin_id,
            network_id: self.network_id,
            decimals: self.decimals,
            terms,
            policy,
            state: State {
                status: self.status.parse().map_err(unknown)?,
                exception: self.exception.parse().map_err(unknown)?,
                ended_at: self.ended_at,
                released: self.released,
            },
            seen: from_numeric(&self.seen)?,
            confirmed: from_numeric(&self.confirmed)?,
            late: from_numeric(&self.late)?,
            version: self.version,
            updated_at: self.updated_at,
            cause: self.cause,
            deposit_revision: self.deposit_revision,
        })
    }
}
