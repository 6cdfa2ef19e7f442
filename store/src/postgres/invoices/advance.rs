use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{
    contracts::invoice_ledger::Advance,
    invoices::{
        CancelReason, CancelRequest, InvoiceStatus, Output, Standing, Sums,
        transition::{Effect, Fact, State, transition},
    },
};

use super::ledger_row::{LedgerRow, outputs};
use crate::postgres::{Database, StoreError, notices::forget_notice, numeric::to_numeric};

/// Who brings a transition about, and what shows it.
pub(super) struct Cause<'a> {
    pub(super) name: &'a str,
    pub(super) actor: &'a str,
    pub(super) evidence: Value,
    pub(super) fingerprint: Option<&'a str>,
}

impl<'a> Cause<'a> {
    /// A cause of our own.
    pub(super) fn system(name: &'a str) -> Self {
        Self { name, actor: "system", evidence: json!({}), fingerprint: None }
    }

    fn cancellation(request: &'a CancelRequest) -> Self {
        Self {
            name: &request.cause,
            actor: &request.actor,
            evidence: json!({ "reason": request.reason, "note": request.note }),
            fingerprint: Some(&request.fingerprint),
        }
    }
}

impl Database {
    /// Brings an invoice up to what its deposits and the time say, in one transaction, and tells where it stands.
    pub async fn advance_invoice(&self, advance: &Advance) -> Result<Standing, StoreError> {
        let mut transaction = self.begin("advancing an invoice").await?;
        let mut row = LedgerRow::lock(&mut transaction, advance.invoice_id).await?;
        let outputs = outputs(&mut transaction, advance.invoice_id).await?;
        let effects = match &advance.cancel {
            Some(request) if may_cancel(&row, &outputs, request, advance.now) => {
                let cause = Cause::cancellation(request);
                apply(&mut transaction, &mut row, &outputs, (fact_of(request), advance.now), &cause).await?
            }
            _ => {
                let cause = Cause::system(&advance.cause);
                apply(&mut transaction, &mut row, &outputs, (Fact::Look, advance.now), &cause).await?
            }
        };
        transaction.commit().await.map_err(StoreError::during("advancing an invoice"))?;
        Ok(row.standing(&effects))
    }

    /// Records money that moves after the workflow has ended: event and exception, nothing else follows.
    pub async fn record_after_close(
        &self,
        invoice_id: Uuid,
        revision: i64,
        now: DateTime<Utc>,
    ) -> Result<Standing, StoreError> {
        let mut transaction = self.begin("recording late money").await?;
        let mut row = LedgerRow::lock(&mut transaction, invoice_id).await?;
        let outputs = outputs(&mut transaction, invoice_id).await?;
        let name = format!("deposits/{revision}/after-close");
        let cause = Cause::system(&name);
        let effects = apply(&mut transaction, &mut row, &outputs, (Fact::LookAfterClose, now), &cause).await?;
        forget_notice(&mut *transaction, invoice_id, row.deposit_revision).await?;
        transaction.commit().await.map_err(StoreError::during("recording late money"))?;
        Ok(row.standing(&effects))
    }

    /// Where an invoice stands that was created by an earlier run: its workflow looks at once, unless all is over.
    pub(super) async fn invoice_standing(&self, invoice_id: Uuid, now: DateTime<Utc>) -> Result<Standing, StoreError> {
        let mut transaction = self.begin("reading an invoice").await?;
        let row = LedgerRow::lock(&mut transaction, invoice_id).await?;
        let effects = if row.state.released { Vec::new() } else { vec![Effect::Wake(now)] };
        Ok(row.standing(&effects))
    }

    pub(super) async fn begin(
        &self,
        operation: &'static str,
    ) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, StoreError> {
        self.pool.begin().await.map_err(StoreError::during(operation))
    }
}

/// Applies a fact: writes what changed, with its event, and gives the address back when the monitoring is over.
pub(super) async fn apply(
    connection: &mut PgConnection,
    row: &mut LedgerRow,
    outputs: &[Output],
    (fact, now): (Fact, DateTime<Utc>),
    cause: &Cause<'_>,
) -> Result<Vec<Effect>, StoreError> {
    let sums = Sums::of(outputs, &row.terms);
    let (next, effects) = transition(&row.state, &row.terms, &sums, fact, now);
    if effects.contains(&Effect::Release) {
        release(connection, row, now).await?;
    }
    let from = std::mem::replace(&mut row.state, next);
    let changed = from.status != row.state.status
        || from.exception != row.state.exception
        || row.seen != sums.seen
        || row.confirmed != sums.confirmed;
    if changed {
        (row.seen, row.confirmed) = (sums.seen, sums.confirmed);
        (row.version, row.updated_at, row.cause) = (row.version + 1, now, cause.name.to_owned());
        write(connection, row, &from, cause).await?;
    }
    Ok(effects)
}

/// One statement, guarded by the version that was read, with its event.
async fn write(
    connection: &mut PgConnection,
    row: &LedgerRow,
    from: &State,
    cause: &Cause<'_>,
) -> Result<(), StoreError> {
    let written = sqlx::query!(
        "with moved as (
            update invoice set status = $3::text::invoice_status, exception = $4, seen = $5, confirmed = $6,
                version = $2::bigint,
                updated_at = $7, ended_at = $8
            where invoice_id = $1 and version = $2::bigint - 1
            returning invoice_id
        )
        insert into invoice_event (invoice_id, sequence, at, from_status, to_status, exception, seen, confirmed, cause,
            actor, evidence, fingerprint)
        select invoice_id, $2, $7, $9::text::invoice_status, $3::text::invoice_status, $4, $5, $6, $10, $11, $12, $13
        from moved",
        row.invoice_id,
        row.version,
        row.state.status.as_str(),
        row.state.exception.as_str(),
        to_numeric(&row.seen),
        to_numeric(&row.confirmed),
        row.updated_at,
        row.state.ended_at,
        from.status.as_str(),
        cause.name,
        cause.actor,
        cause.evidence,
        cause.fingerprint,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("writing a transition"))?;
    match written.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::corrupt("writing a transition", "the invoice changed while it was locked")),
    }
}

/// The address rests, and is free after that.
async fn release(connection: &mut PgConnection, row: &LedgerRow, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "with released as (
            update address_assignment set released_at = $2, cooldown_until = $3
            where invoice_id = $1 and released_at is null
            returning address_id
        )
        update deposit_address set available_at = $3 where address_id in (select address_id from released)",
        row.invoice_id,
        now,
        now + row.policy.cool_down,
    )
    .execute(connection)
    .await
    .map_err(StoreError::during("giving an address back"))?;
    Ok(())
}

fn may_cancel(row: &LedgerRow, outputs: &[Output], request: &CancelRequest, now: DateTime<Utc>) -> bool {
    let sums = Sums::of(outputs, &row.terms);
    let (next, _) = transition(&row.state, &row.terms, &sums, fact_of(request), now);
    row.state.status != InvoiceStatus::Cancelled && next.status == InvoiceStatus::Cancelled
}

const fn fact_of(request: &CancelRequest) -> Fact {
    match request.reason {
        CancelReason::Kyc => Fact::CancelByOperator,
        CancelReason::RequestedByMerchant | CancelReason::Other => Fact::CancelByMerchant,
    }
}
