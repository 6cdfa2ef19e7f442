use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{
    contracts::invoice_ledger::Advance,
    invoices::{
        CancelReason, CancelRequest, InvoiceStatus, Standing,
        transition::{Effect, Fact, transition},
    },
};

use super::{
    accept_late::next_steps,
    apply::{Cause, apply},
    ledger_row::LedgerRow,
    outputs::Outputs,
};
use crate::postgres::{Database, StoreError, notices::forget_notice};

impl Database {
    /// Brings an invoice up to what its deposits and the time say, in one transaction, and tells where it stands.
    pub async fn advance_invoice(&self, advance: &Advance) -> Result<Standing, StoreError> {
        let mut transaction = self.begin("advancing an invoice").await?;
        let mut row = LedgerRow::lock(&mut transaction, advance.invoice_id).await?;
        let outputs = Outputs::read(&mut transaction, advance.invoice_id).await?;
        let effects = match &advance.cancel {
            Some(request) if is_recorded(&mut transaction, advance).await? => {
                request.cause.clone_into(&mut row.cause);
                next_steps(&row, &outputs, advance.now)
            }
            Some(request) if may_cancel(&row, &outputs, request, advance.now) => {
                let cause = Cause::cancellation(request);
                apply(&mut transaction, &mut row, &outputs, (fact_of(request), advance.now), &cause).await?
            }
            refused => {
                // A cancellation that does not happen is the cause of nothing.
                let name = refused.as_ref().map_or_else(|| advance.cause.clone(), |_| format!("look/{}", row.version));
                let cause = Cause::look(&name, &row, &outputs);
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
        let outputs = Outputs::read(&mut transaction, invoice_id).await?;
        let name = format!("deposits/{revision}/after-close");
        let cause = Cause::look(&name, &row, &outputs);
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
        self.transaction().await.map_err(StoreError::during(operation))
    }
}

/// Whether the cancellation happened before: whoever asked for it did not hear so.
async fn is_recorded(connection: &mut PgConnection, advance: &Advance) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"select exists (
               select from invoice_event where invoice_id = $1 and cause = $2 and fingerprint is not null
           ) as "recorded!""#,
        advance.invoice_id,
        advance.cause,
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::during("finding a cancellation"))
}

fn may_cancel(row: &LedgerRow, outputs: &Outputs, request: &CancelRequest, now: DateTime<Utc>) -> bool {
    let sums = outputs.sums(&row.terms);
    let (next, _) = transition(&row.state, &row.terms, &sums, fact_of(request), now);
    row.state.status != InvoiceStatus::Cancelled && next.status == InvoiceStatus::Cancelled
}

const fn fact_of(request: &CancelRequest) -> Fact {
    match request.reason {
        CancelReason::Kyc => Fact::CancelByOperator,
        CancelReason::RequestedByMerchant | CancelReason::Other => Fact::CancelByMerchant,
    }
}
