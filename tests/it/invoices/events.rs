//! The stream of an invoice: from the log, on any replica, without a gap and without a repetition.

use std::time::Duration;

use futures::future::join_all;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use system_tests::{Answer, Merchant, Output, TestApp, eventually};
use tokio::time::timeout;
use uuid::Uuid;

/// Only a failing test waits this long for an event.
const DEADLINE: Duration = Duration::from_mins(3);
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Watchers of one invoice, on two replicas.
const WATCHERS: usize = 20;

/// A stream of events, as a browser reads it.
pub(super) struct Events {
    response: Response,
    unread: Vec<u8>,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) id: i64,
    pub(super) data: Value,
}

impl Events {
    /// Asked for again where the API cannot answer now.
    pub(super) async fn open(request: RequestBuilder) -> Self {
        let ask = || async { request.try_clone().unwrap().send().await.unwrap() };
        let is_answered = |response: &Response| response.status() != StatusCode::SERVICE_UNAVAILABLE;
        let response = eventually("a stream", ask, is_answered).await;
        assert_eq!(response.status(), StatusCode::OK);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { response, unread: Vec::new() }
    }

    /// The next event; nothing where the stream ends, in whatever way.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.take() {
                return Some(event);
            }
            let chunk = timeout(DEADLINE, self.response.chunk()).await.expect("an event");
            self.unread.extend_from_slice(&chunk.ok()??);
        }
    }

    /// The next events, as many as are asked for.
    pub(super) async fn take_next(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream to go on"));
        }
        events
    }

    /// A whole event, if there is one; what only keeps the connection open is passed over.
    fn take(&mut self) -> Option<Event> {
        loop {
            let end = self.unread.windows(2).position(|two| two == b"\n\n")? + 2;
            let block: Vec<_> = self.unread.drain(..end).collect();
            if let Some(event) = Event::read(std::str::from_utf8(&block).unwrap()) {
                return Some(event);
            }
        }
    }
}

impl Event {
    fn read(block: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(|value| value.strip_prefix(' ').unwrap_or(value))
        };
        let data = field("data")?;
        assert_eq!(field("event"), Some("invoice"), "{block}");
        let id = field("id").and_then(|id| id.parse().ok()).expect("an id");
        Some(Self { id, data: serde_json::from_str(data).unwrap() })
    }
}

/// A request for the events of an invoice, at one of the replicas.
fn events(app: &TestApp, api_url: &str, merchant: &Merchant, invoice_id: Uuid) -> RequestBuilder {
    app.http().get(format!("{api_url}/invoices/{invoice_id}/events")).bearer_auth(merchant.key())
}

async fn timeline(merchant: &Merchant, invoice_id: Uuid) -> Vec<Value> {
    let told = merchant.get(&format!("/invoices/{invoice_id}/timeline")).await;
    assert_eq!(told.status, StatusCode::OK, "{told:#?}");
    told.body["items"].as_array().cloned().unwrap()
}

/// They are the whole timeline, each once, in its order.
fn assert_all(events: &[Event], timeline: &[Value]) {
    let data: Vec<_> = events.iter().map(|event| event.data.clone()).collect();
    assert_eq!(data, timeline);
    let (ids, numbers): (Vec<_>, Vec<_>) = events.iter().zip(1_i64..).map(|(event, number)| (event.id, number)).unzip();
    assert_eq!(ids, numbers);
}

#[tokio::test]
async fn case_34_events_made_at_one_replica_are_streamed_by_another_and_a_reader_goes_on_anywhere() {
    let app = TestApp::shared();
    let replica = app.stack().add_api_replica().await.unwrap();
    let (a, b) = (app.stack().api_url().to_owned(), replica.url().to_owned());
    let (merchant, at_a, at_b) = (app.merchant(), app.watcher(), app.watcher().at(&b));
    let created = merchant.create(&Merchant::invoice()).await;
    let (invoice_id, output) = (created.invoice_id(), Output::paying(&created, "12.5"));

    let mut stream = Events::open(events(&app, &a, &merchant, invoice_id)).await;
    let mut seen = stream.take_next(1).await;
    assert_eq!(at_b.tell(&output.included(1, 1)).await, "accepted");
    seen.extend(stream.take_next(1).await);
    drop(stream);

    // Nobody listens while this happens.
    assert_eq!(at_a.tell(&output.orphaned(2)).await, "accepted");
    merchant.until(invoice_id, "waiting_for_deposit").await;
    let from = events(&app, &b, &merchant, invoice_id).header(LAST_EVENT_ID, seen[1].id);
    let mut stream = Events::open(from).await;
    seen.extend(stream.take_next(1).await);
    assert_eq!(at_a.tell(&output.observed("included", 3, Some(1200), 1200)).await, "accepted");
    seen.extend(stream.take_next(1).await);

    // The replica is killed, with all the streams that it has.
    drop(replica);
    assert_eq!(stream.next().await, None);
    assert_eq!(at_a.tell(&output.observed("final", 4, Some(1200), 1230)).await, "accepted");
    let again = format!("{a}/invoices/{invoice_id}/events?last_event_id={}", seen[3].id);
    let mut stream = Events::open(app.http().get(again).bearer_auth(merchant.key())).await;
    seen.extend(stream.take_next(2).await);

    assert_all(&seen, &timeline(&merchant, invoice_id).await);
    assert_eq!(seen[5].data["to"], "finished");
}

/// Each of many readers is told everything, wherever it comes in and whichever replica it reads from.
#[tokio::test]
async fn case_34_many_readers_at_two_replicas_are_all_told_the_same() {
    let app = TestApp::shared();
    let replica = app.stack().add_api_replica().await.unwrap();
    let urls = [app.stack().api_url(), replica.url()];
    let (merchant, watcher) = (app.merchant(), app.watcher());
    let created = merchant.create(&Merchant::invoice()).await;
    let (invoice_id, output) = (created.invoice_id(), Output::paying(&created, "12.5"));
    let read = async |reader: usize| {
        let request = events(&app, urls[reader % 2], &merchant, invoice_id);
        // Some know the first event already.
        let known = reader % 3 / 2;
        let request = if known > 0 { request.header(LAST_EVENT_ID, known) } else { request };
        (known, Events::open(request).await.take_next(4 - known).await)
    };
    let pay = async {
        assert_eq!(watcher.tell(&output.seen(1)).await, "accepted");
        merchant.until(invoice_id, "payment_confirmation").await;
        assert_eq!(watcher.tell(&output.settled(2)).await, "accepted");
    };
    let (told, ()) = futures::join!(join_all((0..WATCHERS).map(read)), pay);
    let timeline = timeline(&merchant, invoice_id).await;
    assert_eq!(timeline.len(), 4);
    for (known, events) in told {
        let data: Vec<_> = events.into_iter().map(|event| event.data).collect();
        assert_eq!(data, timeline[known..]);
    }
}

#[tokio::test]
async fn the_stream_of_an_invoice_is_for_its_merchant_and_begins_where_it_is_told() {
    let app = TestApp::shared();
    let (merchant, stranger) = (app.merchant(), app.merchant());
    let invoice_id = merchant.create(&Merchant::invoice()).await.invoice_id();
    let path = format!("/invoices/{invoice_id}/events");
    for bad in ["x", "-1", "1.5", "99999999999999999999"] {
        let refused = Answer::to(merchant.request(Method::GET, &path).header(LAST_EVENT_ID, bad)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (400, &json!("invalid_query")), "{bad}");
        let refused = merchant.get(&format!("{path}?last_event_id={bad}")).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (400, &json!("invalid_query")), "{bad}");
    }
    assert_eq!(merchant.get(&format!("{path}?limit=1")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(merchant.get(&format!("/invoices/{}/events", Uuid::now_v7())).await.status, StatusCode::NOT_FOUND);
    assert_eq!(Answer::to(app.http().get(app.api(&path))).await.status, StatusCode::UNAUTHORIZED);
}
