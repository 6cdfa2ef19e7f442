//! `GET /invoices/{id}/timeline`: every change of an invoice, oldest first.

use axum::{Json, extract::State};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::Value;
use store::postgres::invoices::{Invoice, LoggedEvent};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Object, ObjectBuilder,
        path::{Parameter, ParameterIn},
        schema::{SchemaType, Type},
    },
};
use workflows::invoices::InvoiceStatus;

use super::{
    body::{Amounts, time},
    find,
};
use crate::{
    auth::{Caller, ReadInvoices},
    openapi::schemas,
    params::{self, PathId, QueryPairs},
    problem::Problem,
    state::Api,
};

/// Items of a page at most, and when nobody says otherwise: few invoices ever have as many.
const MOST: i64 = 100;
/// The numbers that a cursor can hold, a whole number of bits.
const SEQUENCES: std::ops::Range<i64> = 0..1 << 58;
/// What [`decode`] takes: eight bytes, of which the first six bits are zero, as are the two that are left at the end.
const CURSOR: &str = "^A[A-Za-z0-9_-]{9}[AEIMQUYcgkosw048]$";

/// A page of an invoice's changes.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoiceTimeline, examples(json!({"items": [{
    "sequence": 1, "from": null, "to": "waiting_for_deposit", "exception": "none",
    "amounts": {"due": "12.5", "seen": "0", "confirmed": "0", "overpaid": "0", "remaining": "12.5", "late": "0"},
    "cause": "open", "actor": "merchant:0190a0b0-0000-7000-8000-00000000000b", "evidence": {},
    "at": "2026-01-31T12:00:00.000Z",
}], "next_cursor": null})))]
pub(crate) struct Page {
    #[schema(max_items = 100)]
    items: Vec<TimelineItem>,
    /// Goes on after this page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// A change of an invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceChange)]
pub(crate) struct TimelineItem {
    /// Its number, and the invoice's version since then.
    #[schema(minimum = 1)]
    pub(super) sequence: i64,
    /// The status before; null for the beginning.
    #[schema(required, schema_with = status_before)]
    from: Option<&'static str>,
    #[schema(schema_with = schemas::invoice_status)]
    to: &'static str,
    #[schema(schema_with = schemas::invoice_exception)]
    exception: &'static str,
    /// Since then.
    amounts: Amounts,
    /// What brought it about.
    cause: String,
    /// Who did: a principal, or `system`.
    actor: String,
    /// What shows it, such as the deposits.
    #[schema(value_type = Object)]
    evidence: Value,
    #[schema(schema_with = schemas::time)]
    at: String,
}

impl TimelineItem {
    /// What the log says of the invoice.
    pub(super) fn new(invoice: &Invoice, event: LoggedEvent) -> Self {
        Self {
            sequence: event.sequence,
            from: event.from.map(InvoiceStatus::as_str),
            to: event.to.as_str(),
            exception: event.exception.as_str(),
            amounts: Amounts::new(invoice, &event.seen, &event.confirmed, &event.late),
            cause: event.cause,
            actor: event.actor,
            evidence: event.evidence,
            at: time(event.at),
        }
    }
}

/// What a timeline is asked for.
#[derive(Debug)]
pub(crate) struct TimelineQuery {
    after: i64,
    limit: i64,
}

impl TryFrom<QueryPairs> for TimelineQuery {
    type Error = Problem;

    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let mut query = Self { after: 0, limit: MOST };
        pairs.read(|name, value| {
            match name {
                "limit" => query.limit = params::limit(&value)?,
                "cursor" => query.after = decode(&value).ok_or("is no cursor of this list")?,
                _ => return Err("is not known here"),
            }
            Ok(())
        })?;
        Ok(query)
    }
}

impl IntoParams for TimelineQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MOST));
        let cursor = ObjectBuilder::new().schema_type(Type::String).pattern(Some(CURSOR));
        let parameters = [
            ("limit", limit.default(Some(MOST.into())).build(), "How many at most"),
            ("cursor", cursor.build(), "Goes on where a page ended: its `next_cursor`"),
        ];
        parameters.map(params::query).into()
    }
}

/// Read an invoice's timeline
///
/// Every change of the invoice with what brought it about and what shows it, oldest first, a page at a time.
#[utoipa::path(
    get, path = "/invoices/{id}/timeline", operation_id = "get_invoice_timeline", tag = "invoices",
    security(("api_key" = ["invoices:read"])), params(PathId, TimelineQuery),
    responses((status = 200, description = "A page of it", body = Page)),
)]
pub(crate) async fn timeline(
    State(api): State<Api>,
    caller: Caller<ReadInvoices>,
    PathId(invoice_id): PathId,
    pairs: QueryPairs,
) -> Result<Json<Page>, Problem> {
    let TimelineQuery { after, limit } = TimelineQuery::try_from(pairs)?;
    let invoice = find(&api, invoice_id, Some(caller.who)).await?;
    let most = usize::try_from(limit).unwrap_or_default();
    // One more than asked for shows whether the list goes on.
    let mut events = api.database.list_invoice_events(invoice_id, after, limit + 1).await?;
    let goes_on = events.len() > most;
    events.truncate(most);
    let last = events.last().filter(|_| goes_on);
    let next_cursor = last.map(|event| encode(event.sequence));
    let items = events.into_iter().map(|event| TimelineItem::new(&invoice, event)).collect();
    Ok(Json(Page { items, next_cursor }))
}

/// A status, or null.
fn status_before() -> Object {
    let words = InvoiceStatus::ALL.map(|status| Value::from(status.as_str())).into_iter().chain([Value::Null]);
    let either = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    either.enum_values(Some(words)).description(Some("The status before; null for the beginning")).build()
}

/// The cursor that goes on after this change.
fn encode(sequence: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(sequence.to_be_bytes())
}

/// The change that a cursor stands for, if it is one of ours.
fn decode(cursor: &str) -> Option<i64> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
    Some(i64::from_be_bytes(bytes)).filter(|sequence| SEQUENCES.contains(sequence))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use workflows::invoices::InvoiceException;

    use super::*;
    use crate::invoices::body::tests::invoice;

    #[test]
    fn a_cursor_survives_the_round_trip() {
        for sequence in [0, 1, 100, 12_345_678, SEQUENCES.end - 1] {
            let cursor = encode(sequence);
            assert_eq!(decode(&cursor), Some(sequence));
            let (first, last) = (cursor.as_bytes()[0], cursor.as_bytes()[10]);
            assert!(cursor.len() == 11 && first == b'A' && b"AEIMQUYcgkosw048".contains(&last), "{cursor}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let negative = encode(-1);
        for cursor in ["", "1", "AAAAAAAAAAB", "AAAAAAAAAAA=", "AAAAAAAAAAAA", "IAAAAAAAAAA", "A+AAAAAAAAA", &negative]
        {
            assert_eq!(decode(cursor), None, "{cursor:?}");
        }
    }

    #[test]
    fn a_page_is_a_hundred_unless_fewer_are_asked_for() {
        let asked = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            TimelineQuery::try_from(QueryPairs(pairs)).map(|query| (query.after, query.limit))
        };
        assert_eq!(asked(&[]).unwrap(), (0, 100));
        assert_eq!(asked(&[("limit", "2"), ("cursor", "AAAAAAAAAAM")]).unwrap(), (3, 2));
        for (name, value) in [("limit", "101"), ("cursor", "3"), ("status", "expired")] {
            let refused = format!("{:?}", asked(&[(name, value)]).unwrap_err());
            assert!(refused.contains(&format!("field: {name:?}")), "{refused}");
        }
    }

    #[test]
    fn an_item_has_the_fields_of_the_api() {
        let invoice = invoice();
        let event = LoggedEvent {
            sequence: 2,
            at: invoice.created_at,
            from: Some(InvoiceStatus::WaitingForDeposit),
            to: InvoiceStatus::PartiallyPaid,
            exception: InvoiceException::PaidPartial,
            seen: 5_000_000.into(),
            confirmed: 2_500_000.into(),
            late: 0.into(),
            cause: "deposits/1".to_owned(),
            actor: "system".to_owned(),
            evidence: json!({"deposits": []}),
        };
        assert_eq!(
            serde_json::to_value(TimelineItem::new(&invoice, event)).unwrap(),
            json!({
                "sequence": 2, "from": "waiting_for_deposit", "to": "partially_paid", "exception": "paid_partial",
                "amounts": {
                    "due": "12.5", "seen": "5", "confirmed": "2.5", "overpaid": "0", "remaining": "7.5", "late": "0"
                },
                "cause": "deposits/1", "actor": "system", "evidence": {"deposits": []}, "at": "2026-01-01T00:00:00.120Z"
            })
        );
    }
}
