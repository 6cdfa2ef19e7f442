//! `GET /invoices/{id}/events`: the changes of an invoice as they happen. They are read from its log, so that a caller who
//! comes back, here or at another process, misses none and gets none twice.
//!
//! An open stream costs its connection and a place in the watch; it reads only when it was told that there is something.

use std::{borrow::Cow, convert::Infallible, future::ready, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream};
use store::postgres::invoices::Invoice;
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Object, ObjectBuilder, RefOr,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{Schema, Type},
    },
};

use super::{find, shared_reads::goes_on};
use crate::{
    auth::{Caller, ReadInvoices},
    params::{self, PathId, QueryPairs},
    problem::{Problem, kinds},
    state::Api,
    watch::{Page, Subject, Told, Watching},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The same for browsers that cannot send the header the first time.
const LAST_EVENT_ID_QUERY: &str = "last_event_id";
/// What [`sequence`] takes.
const SEQUENCE: &str = "^(0|[1-9][0-9]{0,17})$";
/// Proxies close a connection on which nothing is sent.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// When a client should come back.
const RETRY: Duration = Duration::from_secs(1);
/// Between two tries when the log cannot be read.
const PAUSE: Duration = Duration::from_secs(1);

/// Where a stream goes on.
#[derive(Debug)]
pub(crate) struct EventsQuery(i64);

impl EventsQuery {
    /// Both places are read. The header counts: a browser that comes back sends the query of its first request again.
    fn read(pairs: QueryPairs, headers: &HeaderMap) -> Result<Self, Problem> {
        let mut after = 0;
        pairs.read(|name, value| {
            if name != LAST_EVENT_ID_QUERY {
                return Err("is not known here");
            }
            after = sequence(&value).ok_or("is no id of an event")?;
            Ok(())
        })?;
        let mut given = headers.get_all(LAST_EVENT_ID).iter();
        let id = match (given.next(), given.next()) {
            (None, _) => return Ok(Self(after)),
            (Some(id), None) => id.to_str().ok().and_then(sequence),
            (Some(_), Some(_)) => None,
        };
        let refused = || Problem::with_error(kinds::INVALID_QUERY, "Last-Event-ID", "is no id of an event");
        id.map(Self).ok_or_else(refused)
    }
}

impl IntoParams for EventsQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = ParameterBuilder::new().name("Last-Event-ID").parameter_in(ParameterIn::Header);
        let described =
            header.description(Some("The last event that the caller has; without it the stream begins at the first"));
        let for_browsers = "The same for who cannot send the header; the header counts when there are both";
        vec![
            described.schema(Some(sequence_schema())).build(),
            params::query((LAST_EVENT_ID_QUERY, sequence_schema(), for_browsers)),
        ]
    }
}

fn sequence_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(SEQUENCE)).build()
}

/// One of the events, which is what the description of a stream is about.
pub(crate) struct StreamEvent;

impl ToSchema for StreamEvent {
    fn name() -> Cow<'static, str> {
        "InvoiceEvent".into()
    }
}

impl PartialSchema for StreamEvent {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let id = text().pattern(Some(SEQUENCE)).description(Some("Its number, for `Last-Event-ID`"));
        let data = text().content_media_type("application/json").description(Some("An item of the timeline"));
        let fields = ObjectBuilder::new().schema_type(Type::Object).description(Some("A change of an invoice"));
        let fields = fields.property("id", id).required("id");
        let fields = fields.property("event", text().enum_values(Some(["invoice"]))).required("event");
        fields.property("data", data).required("data").into()
    }
}

/// The number of an event, in its one spelling.
fn sequence(text: &str) -> Option<i64> {
    let number = text.parse::<i64>().ok().filter(|number| *number >= 0)?;
    (text.len() <= 18 && number.to_string() == text).then_some(number)
}

/// Follow an invoice
///
/// Server-sent events: each change of the invoice, from its beginning or from after `Last-Event-ID`, then each new one
/// when it happens. `id` is its number, `event` is `invoice`, and `data` is an item of the timeline. The stream ends by
/// itself now and then; the client comes back with its `Last-Event-ID` and misses nothing.
#[utoipa::path(
    get, path = "/invoices/{id}/events", operation_id = "follow_invoice", tag = "invoices",
    security(("api_key" = ["invoices:read"])), params(PathId, EventsQuery),
    responses((status = 200, description = "The events", content_type = "text/event-stream", body = StreamEvent,
               example = json!({
                   "id": "1", "event": "invoice", "data": "{\"sequence\":1,\"from\":null,\"to\":\"waiting_for_deposit\"}",
               }))),
)]
pub(crate) async fn events(
    State(api): State<Api>,
    caller: Caller<ReadInvoices>,
    PathId(invoice_id): PathId,
    pairs: QueryPairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let EventsQuery(after) = EventsQuery::read(pairs, &headers)?;
    let invoice = find(&api, invoice_id, Some(caller.who)).await?;
    let watching = api.watch.watch(Subject::invoice(invoice_id))?;
    let until = Instant::now() + api.invoices.stream();
    let feed = Feed { api, invoice, watching, after, behind: true, page: Page::default(), given: 0, until };
    // Some proxies keep an answer back until it is whole, unless they are told.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    let sign_of_life = KeepAlive::new().interval(SIGN_OF_LIFE);
    Ok((unbuffered, Sse::new(flow(feed)).keep_alive(sign_of_life)).into_response())
}

fn flow(feed: Feed) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let introduction = stream::once(ready(Event::default().retry(RETRY)));
    introduction.chain(stream::unfold(feed, Feed::next)).map(Ok)
}

/// A stream of one invoice's events.
struct Feed {
    api: Api,
    invoice: Invoice,
    watching: Watching,
    /// The last event that was given out.
    after: i64,
    /// There may be events after the page that nobody tells of.
    behind: bool,
    page: Page,
    /// How many of the page were given out.
    given: usize,
    until: Instant,
}

impl Feed {
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            if let Some(Told { sequence, data }) = self.page.get(self.given) {
                let event = Event::default().id(sequence.to_string()).event("invoice").data(data);
                (self.after, self.given) = (*sequence, self.given + 1);
                return Some((event, self));
            }
            self.page = self.next_page().await?;
            self.given = 0;
        }
    }

    /// The events that come next; nothing when the stream is to end.
    async fn next_page(&mut self) -> Option<Page> {
        loop {
            if !self.behind {
                timeout_at(self.until, self.watching.changed_beyond(self.after)).await.ok()?.ok()?;
            }
            match self.read().await {
                Ok(page) => {
                    self.behind = goes_on(&page);
                    return Some(page);
                }
                Err(problem) => {
                    // A client that is cut off would have to come back, and nobody could answer it.
                    tracing::warn!(invoice_id = %self.invoice.invoice_id, ?problem, "api.events.not_read");
                    self.pause().await?;
                }
            }
        }
    }

    /// Nothing when the stream is to end meanwhile: no version is beyond this one, so that only the end of the process comes
    /// before the pause is over.
    async fn pause(&mut self) -> Option<()> {
        let ended = timeout(PAUSE, self.watching.changed_beyond(i64::MAX)).await.is_ok();
        (!ended && Instant::now() < self.until).then_some(())
    }

    /// In a box: a stream that waits, as most do, keeps no room for it.
    async fn read(&self) -> Result<Page, Problem> {
        let Self { api, invoice, after, .. } = self;
        if self.behind {
            return Box::pin(api.watch.reads.events(&api.database, invoice, *after)).await;
        }
        Box::pin(api.watch.reads.next_events(&api.database, invoice, *after)).await
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::to_bytes, http::HeaderValue};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{invoices::body::tests::invoice, state::Services};

    fn read(query: &[&str], header: &[&'static str]) -> Result<i64, Problem> {
        let pairs = query.iter().map(|value| (LAST_EVENT_ID_QUERY.to_owned(), (*value).to_owned())).collect();
        let mut headers = HeaderMap::new();
        for value in header {
            headers.append(LAST_EVENT_ID, HeaderValue::from_static(value));
        }
        EventsQuery::read(QueryPairs(pairs), &headers).map(|EventsQuery(after)| after)
    }

    #[test]
    fn a_stream_goes_on_where_the_caller_left_it() {
        assert_eq!(read(&[], &[]).unwrap(), 0);
        assert_eq!(read(&["7"], &[]).unwrap(), 7);
        assert_eq!(read(&[], &["8"]).unwrap(), 8);
        assert_eq!(read(&["7"], &["8"]).unwrap(), 8, "the header is the newer one");
        assert_eq!(read(&[], &["999999999999999999"]).unwrap(), 999_999_999_999_999_999);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for id in ["", "x", "-1", "+1", "01", "1.0", " 1", "1000000000000000000", "99999999999999999999"] {
            assert_eq!(read(&[id], &["1"]).unwrap_err().code(), "invalid_query", "{id:?}");
            assert_eq!(read(&["1"], &[id]).unwrap_err().code(), "invalid_query", "{id:?}");
        }
        assert_eq!(read(&[], &["1", "2"]).unwrap_err().code(), "invalid_query");
    }

    fn feed(after: i64, told: &[i64]) -> Feed {
        let api = Api::new(Services::without_servers());
        let watching = api.watch.watch(Subject::invoice(Uuid::from_u128(1))).unwrap();
        let page =
            told.iter().map(|sequence| Told { sequence: *sequence, data: format!("{{\"sequence\":{sequence}}}") });
        let page = page.collect();
        Feed { api, invoice: invoice(), watching, after, behind: false, page, given: 0, until: Instant::now() }
    }

    #[test]
    fn the_description_is_of_one_event() {
        let schema = serde_json::to_value(StreamEvent::schema()).unwrap();
        assert_eq!((&schema["type"], &schema["required"]), (&json!("object"), &json!(["id", "event", "data"])));
        assert_eq!(schema["properties"]["event"], json!({"type": "string", "enum": ["invoice"]}));
        assert_eq!(schema["properties"]["data"]["contentMediaType"], "application/json");
    }

    #[tokio::test]
    async fn a_stream_tells_what_it_has_and_ends_in_time() {
        let response = Sse::new(flow(feed(1, &[2, 3]))).into_response();
        let told = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let told = String::from_utf8(told.into()).unwrap();
        assert_eq!(
            told,
            "retry: 1000\n\n\
             id: 2\nevent: invoice\ndata: {\"sequence\":2}\n\n\
             id: 3\nevent: invoice\ndata: {\"sequence\":3}\n\n"
        );
    }

    #[tokio::test]
    async fn a_stream_ends_with_the_process() {
        let feed = Feed { until: Instant::now() + Duration::from_hours(1), ..feed(1, &[]) };
        let (stop, stopping) = tokio::sync::watch::channel(false);
        stop.send_replace(true);
        feed.api.watch.run(&feed.api.database, stopping).await;
        assert!(feed.next().await.is_none());
    }
}
