//! Does to an HTTP request what the fault says.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::watch;

use super::{HELD, Kind, Strike};
use crate::connection::Interim;
use crate::problem::Problem;
use crate::reply::Reply;

const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";

/// Answers with what `effect` says, or as the fault wants it; `effect` runs at most once.
pub(crate) async fn answer<R: Into<Reply> + Send + 'static>(
    strike: Option<Strike>,
    interim: &Interim,
    effect: impl FnOnce() -> R + Send + 'static,
) -> Response {
    let Some(mut strike) = strike else {
        return respond(effect());
    };
    match strike.kind {
        Kind::Error => asked_for(StatusCode::SERVICE_UNAVAILABLE),
        Kind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response(),
        Kind::RateLimitedSilently => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Kind::Html => (StatusCode::BAD_GATEWAY, [(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response(),
        Kind::Slow => {
            strike.wait().await;
            respond(effect())
        }
        Kind::Timeout => {
            strike.wait().await;
            hang_up()
        }
        // No result is all that HTTP knows of either: there is no acknowledgement before it.
        Kind::ExecuteThenTimeout | Kind::NoResult => {
            let _unheard = effect();
            strike.wait().await;
            hang_up()
        }
        Kind::ExecuteThenError => {
            let _unheard = effect();
            asked_for(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Kind::Malformed => cut_off(effect().into()),
        Kind::Status102 => {
            interim.processing().await;
            process_unheard(strike, effect).await;
            hang_up()
        }
    }
}

/// To a request whose first try is being worked on still: 102 at once, and nothing ever after. The connection closes
/// when the first try is `finished`.
pub(crate) async fn in_progress(interim: &Interim, mut finished: watch::Receiver<()>) -> Response {
    interim.processing().await;
    // An error means that the sender is gone, and that is how finishing is told.
    let _ = tokio::time::timeout(HELD, finished.changed()).await;
    hang_up()
}

/// On a task of its own: a caller who leaves takes the request's with it.
async fn process_unheard<R: 'static>(mut strike: Strike, effect: impl FnOnce() -> R + Send + 'static) {
    let processed = tokio::spawn(async move {
        strike.wait().await;
        drop(effect());
    });
    if let Err(error) = processed.await {
        tracing::error!(error = %error, "fault.effect.failed");
    }
}

fn respond(reply: impl Into<Reply>) -> Response {
    reply.into().into_response()
}

fn asked_for(status: StatusCode) -> Response {
    Problem::new(status, "a fault was asked for").into_response()
}

/// A success whose body stops in the middle; a refusal is too short to stop.
fn cut_off(mut reply: Reply) -> Response {
    if reply.status.is_success() {
        let half = reply.body.chars().count() / 2;
        reply.body = reply.body.chars().take(half).collect();
    }
    reply.into_response()
}

/// Closes the connection without a status line: a body that fails before its first byte takes the head with it.
fn hang_up() -> Response {
    let failure = io::Error::new(io::ErrorKind::ConnectionAborted, "a fault was asked for");
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(failure)])))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::{Hit, Release};
    use super::*;

    struct Hits {
        count: Arc<AtomicU32>,
    }

    impl Hits {
        fn new() -> Self {
            Self { count: Arc::new(AtomicU32::new(0)) }
        }

        fn effect(&self) -> impl FnOnce() -> Value + Send + use<> {
            let count = Arc::clone(&self.count);
            move || {
                count.fetch_add(1, Ordering::SeqCst);
                json!({ "a": 1 })
            }
        }

        fn happened(&self) -> u32 {
            self.count.load(Ordering::SeqCst)
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a request takes it")]
    fn strike(kind: Kind, released: &Release) -> Option<Strike> {
        Some(Strike::new(Hit { kind, delay: Duration::from_millis(20), text: None }, released.line()))
    }

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn every_kind_answers_in_its_way_and_happens_or_not() {
        let released = Release::default();
        for (kind, status, happens) in [
            (Kind::Error, 503, 0),
            (Kind::RateLimited, 429, 0),
            (Kind::RateLimitedSilently, 429, 0),
            (Kind::Html, 502, 0),
            (Kind::Slow, 200, 1),
            (Kind::ExecuteThenError, 500, 1),
            (Kind::Malformed, 200, 1),
        ] {
            let hits = Hits::new();
            let response = answer(strike(kind, &released), &Interim::default(), hits.effect()).await;
            assert_eq!((response.status().as_u16(), hits.happened()), (status, happens), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn the_lost_ones_say_nothing_and_happen_or_not() {
        let released = Release::default();
        for (kind, happens) in [(Kind::Timeout, 0), (Kind::ExecuteThenTimeout, 1), (Kind::Status102, 1)] {
            let hits = Hits::new();
            let response = answer(strike(kind, &released), &Interim::default(), hits.effect()).await;
            assert_eq!(hits.happened(), happens, "{kind:?}");
            assert!(axum::body::to_bytes(response.into_body(), 1024).await.is_err(), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn a_malformed_answer_is_half_of_one_and_a_limited_one_is_empty() {
        let released = Release::default();
        let half = answer(strike(Kind::Malformed, &released), &Interim::default(), Hits::new().effect()).await;
        assert_eq!(text(half).await, "{\"a");
        let limited = answer(strike(Kind::RateLimited, &released), &Interim::default(), Hits::new().effect()).await;
        assert_eq!(limited.headers()[RETRY_AFTER], "1");
        assert_eq!(text(limited).await, "");
    }

    #[tokio::test]
    async fn what_is_processed_goes_on_when_the_caller_leaves() {
        let (released, hits) = (Release::default(), Hits::new());
        let struck = Strike::new(Hit { kind: Kind::Status102, delay: HELD, text: None }, released.line());
        let interim = Interim::default();
        let answered = answer(Some(struck), &interim, hits.effect());
        let answered = tokio::time::timeout(Duration::from_millis(1), answered).await;
        assert!(answered.is_err(), "the caller left first");
        released.let_go(None);
        while hits.happened() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
