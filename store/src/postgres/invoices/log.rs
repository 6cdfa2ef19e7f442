//! The log of an invoice: every change that a reader can see.

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;
use workflows::{
    domain::BaseUnits,
    invoices::{InvoiceException, InvoiceStatus},
};

use crate::postgres::{Database, StoreError, numeric::from_numeric};

const READING: &str = "reading an event";

/// What an event says of its invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceEvent {
    /// Number of the event: the invoice's version since then.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Status from then on.
    pub to: InvoiceStatus,
    /// Exception from then on.
    pub exception: InvoiceException,
    /// Money seen.
    pub seen: BaseUnits,
    /// Money confirmed.
    pub confirmed: BaseUnits,
    /// Money that came late and was not accepted.
    pub late: BaseUnits,
    /// HMAC of the request that caused it, if one did.
    pub fingerprint: Option<String>,
}

/// An event with what brought it about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Number of the event: the invoice's version since then.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Status until then; none for the first.
    pub from: Option<InvoiceStatus>,
    /// Status from then on.
    pub to: InvoiceStatus,
    /// Exception from then on.
    pub exception: InvoiceException,
    /// Money seen.
    pub seen: BaseUnits,
    /// Money confirmed.
    pub confirmed: BaseUnits,
    /// Money that came late and was not accepted.
    pub late: BaseUnits,
    /// What brought it about.
    pub cause: String,
    /// Who.
    pub actor: String,
    /// What shows it.
    pub evidence: Value,
}

struct EventRow {
    sequence: i64,
    at: DateTime<Utc>,
    to_status: String,
    exception: String,
    seen: BigDecimal,
    confirmed: BigDecimal,
    late: BigDecimal,
    fingerprint: Option<String>,
}

struct LoggedRow {
    invoice_id: Uuid,
    sequence: i64,
    at: DateTime<Utc>,
    from_status: Option<String>,
    to_status: String,
    exception: String,
    seen: BigDecimal,
    confirmed: BigDecimal,
    late: BigDecimal,
    cause: String,
    actor: String,
    evidence: Value,
}

impl Database {
    /// The event of an invoice that the request `cause` brought about.
    pub async fn find_invoice_event(&self, invoice_id: Uuid, cause: &str) -> Result<Option<InvoiceEvent>, StoreError> {
        let row = sqlx::query_as!(
            EventRow,
            r#"select sequence, at, to_status::text as "to_status!", exception, seen, confirmed, late, fingerprint
               from invoice_event where invoice_id = $1 and cause = $2 and fingerprint is not null"#,
            invoice_id,
            cause,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding an event"))?;
        row.map(InvoiceEvent::try_from).transpose()
    }

    /// Up to `limit` events of an invoice in their order, from the one after number `after`.
    pub async fn list_invoice_events(
        &self,
        invoice_id: Uuid,
        after: i64,
        limit: i64,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let rows = sqlx::query_as!(
            LoggedRow,
            r#"select invoice_id, sequence, at, from_status::text, to_status::text as "to_status!", exception, seen,
                      confirmed, late, cause, actor, evidence
               from invoice_event where invoice_id = $1 and sequence > $2 order by sequence limit $3"#,
            invoice_id,
            after,
            limit,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("listing events"))?;
        rows.into_iter().map(LoggedEvent::try_from).collect()
    }
}

/// The whole logs of several invoices, each in its order, with the ids of their invoices.
pub(super) async fn logs_of(
    executor: impl PgExecutor<'_>,
    invoices: &[Uuid],
) -> Result<Vec<(Uuid, LoggedEvent)>, StoreError> {
    let rows = sqlx::query_as!(
        LoggedRow,
        r#"select invoice_id, sequence, at, from_status::text, to_status::text as "to_status!", exception, seen, confirmed,
                  late, cause, actor, evidence
           from invoice_event where invoice_id = any($1) order by invoice_id, sequence"#,
        invoices,
    )
    .fetch_all(executor)
    .await
    .map_err(StoreError::during("reading logs"))?;
    rows.into_iter().map(|row| Ok((row.invoice_id, LoggedEvent::try_from(row)?))).collect()
}

impl TryFrom<EventRow> for InvoiceEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let unknown = |what| StoreError::corrupt(READING, what);
        Ok(Self {
            sequence: row.sequence,
            at: row.at,
            to: row.to_status.parse().map_err(unknown)?,
            exception: row.exception.parse().map_err(unknown)?,
            seen: from_numeric(&row.seen)?,
            confirmed: from_numeric(&row.confirmed)?,
            late: from_numeric(&row.late)?,
            fingerprint: row.fingerprint,
        })
    }
}

impl TryFrom<LoggedRow> for LoggedEvent {
    type Error = StoreError;

    fn try_from(row: LoggedRow) -> Result<Self, StoreError> {
        let unknown = |what| StoreError::corrupt(READING, what);
        Ok(Self {
            sequence: row.sequence,
            at: row.at,
            from: row.from_status.as_deref().map(str::parse::<InvoiceStatus>).transpose().map_err(unknown)?,
            to: row.to_status.parse().map_err(unknown)?,
            exception: row.exception.parse().map_err(unknown)?,
            seen: from_numeric(&row.seen)?,
            confirmed: from_numeric(&row.confirmed)?,
            late: from_numeric(&row.late)?,
            cause: row.cause,
            actor: row.actor,
            evidence: row.evidence,
        })
    }
}
