use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use workflows::{
    contracts::invoice_ledger::AcceptLate,
    invoices::{
        AcceptLateReply, AcceptLateRequest, InvoiceStatus, InvoiceTerms, LateRefusal, Output, confirmed,
        transition::{Effect, Fact, may_accept_late, transition},
    },
};

use super::{
    apply::{Cause, apply},
    credit::insert_credits,
    ledger_row::LedgerRow,
    outputs::Outputs,
};
use crate::postgres::{Database, StoreError, notices::leave_notice};

const ACCEPTING: &str = "accepting late money";

/// What an acceptance would come to.
struct Offer<'a> {
    /// The invoice's terms with it.
    terms: InvoiceTerms,
    /// What is confirmed with it and was not credited before.
    owed: Vec<&'a Output>,
    /// Whether it has to be credited at once: the invoice is finished, or nobody runs it any more.
    settles: bool,
}

impl Database {
    /// Lets what came late until now count as in time; a finished invoice's merchant is credited with it in the same
    /// transaction. A repeat finds what the first one did.
    pub async fn accept_late(&self, accept: &AcceptLate) -> Result<AcceptLateReply, StoreError> {
        self.answer_acceptance(accept, false).await
    }

    /// The same once the invoice's run has closed: nobody waits for more money, so that an expired invoice is accepted
    /// only when what is confirmed pays it, and is finished in the same transaction.
    pub async fn accept_late_after_close(
        &self,
        invoice_id: Uuid,
        request: &AcceptLateRequest,
    ) -> Result<AcceptLateReply, StoreError> {
        // No process's own clock decides what was late.
        let now = sqlx::query_scalar!(r#"select now() as "now!""#)
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::during(ACCEPTING))?;
        let accept = AcceptLate { invoice_id, request: request.clone(), now };
        self.answer_acceptance(&accept, true).await
    }

    async fn answer_acceptance(&self, accept: &AcceptLate, is_closed: bool) -> Result<AcceptLateReply, StoreError> {
        let mut transaction = self.begin(ACCEPTING).await?;
        let mut row = LedgerRow::lock(&mut transaction, accept.invoice_id).await?;
        let outputs = Outputs::read(&mut transaction, accept.invoice_id).await?;
        let (fingerprint, decided) = if let Some(first) = recorded(&mut transaction, accept).await? {
            (first, Ok(next_steps(&row, &outputs, accept.now)))
        } else {
            let decided = decide(&mut transaction, &mut row, &outputs, accept, is_closed).await?;
            (accept.request.fingerprint.clone(), decided)
        };
        transaction.commit().await.map_err(StoreError::during(ACCEPTING))?;
        let (effects, refusal) = match decided {
            Ok(effects) => (effects, None),
            Err(refusal) => (next_steps(&row, &outputs, accept.now), Some(refusal)),
        };
        Ok(AcceptLateReply { fingerprint, refusal, standing: row.standing(&effects) })
    }
}

/// The fingerprint of the request that was accepted under this cause before.
async fn recorded(connection: &mut PgConnection, accept: &AcceptLate) -> Result<Option<String>, StoreError> {
    let fingerprint = sqlx::query_scalar!(
        "select fingerprint from invoice_event where invoice_id = $1 and cause = $2",
        accept.invoice_id,
        accept.request.cause,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("finding an acceptance"))?;
    Ok(fingerprint.map(Option::unwrap_or_default))
}

async fn decide(
    connection: &mut PgConnection,
    row: &mut LedgerRow,
    outputs: &Outputs,
    accept: &AcceptLate,
    is_closed: bool,
) -> Result<Result<Vec<Effect>, LateRefusal>, StoreError> {
    let terms = row.terms.clone().with_late_accepted(Some(row.next_event_at(accept.now)), &row.policy);
    let owed = confirmed(&outputs.counted, &terms).into_iter().filter(|output| !output.credited).collect();
    let settles = is_closed || row.state.released || row.state.status == InvoiceStatus::Finished;
    let offer = Offer { terms, owed, settles };
    match offer.judge(row, outputs) {
        Ok(()) => Ok(Ok(carry_out(connection, row, outputs, offer, accept).await?)),
        Err(refusal) => Ok(Err(refusal)),
    }
}

async fn carry_out(
    connection: &mut PgConnection,
    row: &mut LedgerRow,
    outputs: &Outputs,
    offer: Offer<'_>,
    AcceptLate { request, now, .. }: &AcceptLate,
) -> Result<Vec<Effect>, StoreError> {
    let cause = Cause::acceptance(request, row, outputs);
    row.terms = offer.terms;
    if offer.settles {
        insert_credits(connection, row, &offer.owed, *now).await?;
    }
    let effects = apply(connection, row, outputs, (Fact::AcceptLate, *now), &cause).await?;
    if !offer.settles {
        // The run goes on from here; should it forget this step with the worker that took it, it is told.
        leave_notice(connection, row.invoice_id).await?;
    }
    if !offer.settles || row.state.status != InvoiceStatus::PaymentAccepted {
        return Ok(effects);
    }
    let name = format!("credit/{}", row.version);
    let cause = Cause::look(&name, row, outputs);
    apply(connection, row, outputs, (Fact::Credited, *now), &cause).await
}

impl Offer<'_> {
    fn judge(&self, row: &LedgerRow, outputs: &Outputs) -> Result<(), LateRefusal> {
        let (before, after) = (outputs.sums(&row.terms), outputs.sums(&self.terms));
        may_accept_late(&row.state, &before, !self.owed.is_empty())?;
        match row.state.status {
            InvoiceStatus::Finished => Ok(()),
            // What a watcher's clock puts after this moment is as late as before.
            _ if !self.settles && before == after => Err(LateRefusal::NothingLate),
            _ if !self.settles || self.terms.covers(&after.confirmed) => Ok(()),
            _ if after.seen == after.confirmed => Err(LateRefusal::TooLittle),
            _ => Err(LateRefusal::NotConfirmed),
        }
    }
}

/// What the workflow has to do next for an invoice that nothing was done to: what it would hear if it looked, or to look
/// at once when that would change something.
pub(super) fn next_steps(row: &LedgerRow, outputs: &Outputs, now: DateTime<Utc>) -> Vec<Effect> {
    let sums = outputs.sums(&row.terms);
    let (next, effects) = transition(&row.state, &row.terms, &sums, Fact::Look, now);
    let is_settled =
        next == row.state && (&row.seen, &row.confirmed, &row.late) == (&sums.seen, &sums.confirmed, &sums.late);
    if is_settled {
        effects
    } else if row.state.released {
        Vec::new()
    } else {
        vec![Effect::Wake(now)]
    }
}
