//! One transition in the database: what changed, its event, and the word to whoever watches.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use workflows::invoices::{
    AcceptLateRequest, CancelRequest,
    transition::{Effect, Fact, State, transition},
};

use super::{EVENTS_CHANNEL, ledger_row::LedgerRow, outputs::Outputs};
use crate::postgres::{StoreError, numeric::to_numeric};

/// Who brings a transition about, and what shows it.
pub(super) struct Cause<'a> {
    name: &'a str,
    actor: &'a str,
    evidence: Value,
    fingerprint: Option<&'a str>,
}

impl<'a> Cause<'a> {
    /// A look of our own at the money and the time.
    pub(super) fn look(name: &'a str, row: &LedgerRow, outputs: &Outputs) -> Self {
        Self { name, actor: "system", evidence: outputs.evidence(&row.terms), fingerprint: None }
    }

    pub(super) fn cancellation(request: &'a CancelRequest) -> Self {
        Self {
            name: &request.cause,
            actor: &request.actor,
            evidence: json!({ "reason": request.reason, "note": request.note }),
            fingerprint: Some(&request.fingerprint),
        }
    }

    /// It shows what was late until then.
    pub(super) fn acceptance(request: &'a AcceptLateRequest, row: &LedgerRow, outputs: &Outputs) -> Self {
        let mut evidence = outputs.evidence(&row.terms);
        evidence["note"] = json!(request.note);
        Self { name: &request.cause, actor: &request.actor, evidence, fingerprint: Some(&request.fingerprint) }
    }
}

/// Applies a fact: writes what changed, with its event, and gives the address back when the monitoring is over. What a
/// merchant accepts is written even if it changes no figure.
pub(super) async fn apply(
    connection: &mut PgConnection,
    row: &mut LedgerRow,
    outputs: &Outputs,
    (fact, now): (Fact, DateTime<Utc>),
    cause: &Cause<'_>,
) -> Result<Vec<Effect>, StoreError> {
    let sums = outputs.sums(&row.terms);
    let (next, effects) = transition(&row.state, &row.terms, &sums, fact, now);
    if effects.contains(&Effect::Release) {
        release(connection, row, now).await?;
    }
    let from = std::mem::replace(&mut row.state, next);
    let changed = fact == Fact::AcceptLate
        || (from.status, from.exception) != (row.state.status, row.state.exception)
        || (&row.seen, &row.confirmed, &row.late) != (&sums.seen, &sums.confirmed, &sums.late);
    if changed {
        (row.seen, row.confirmed, row.late) = (sums.seen, sums.confirmed, sums.late);
        (row.version, row.updated_at) = (row.version + 1, row.next_event_at(now));
        cause.name.clone_into(&mut row.cause);
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
            update invoice set status = $3::text::invoice_status, exception = $4, seen = $5, confirmed = $6, late = $7,
                late_accepted_at = $8, version = $2::bigint, updated_at = $9, ended_at = $10
            where invoice_id = $1 and version = $2::bigint - 1
            returning invoice_id
        ), logged as (
            insert into invoice_event (invoice_id, sequence, at, from_status, to_status, exception, seen, confirmed,
                late, cause, actor, evidence, fingerprint)
            select invoice_id, $2, $9, $11::text::invoice_status, $3::text::invoice_status, $4, $5, $6, $7, $12, $13, $14,
                $15
            from moved
        )
        select pg_notify($16, invoice_id::text) from moved",
        row.invoice_id,
        row.version,
        row.state.status.as_str(),
        row.state.exception.as_str(),
        to_numeric(&row.seen),
        to_numeric(&row.confirmed),
        to_numeric(&row.late),
        row.terms.late_accepted_at,
        row.updated_at,
        row.state.ended_at,
        from.status.as_str(),
        cause.name,
        cause.actor,
        cause.evidence,
        cause.fingerprint,
        EVENTS_CHANNEL,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::during("writing a transition"))?;
    match written {
        Some(_) => Ok(()),
        None => Err(StoreError::corrupt("writing a transition", "the invoice changed while it was locked")),
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
