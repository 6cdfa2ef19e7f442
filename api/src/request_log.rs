//! One id and one log line for each request. A line has the route's template, never its path, query or body.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 64;

/// Names a request in its answer, in its problem and in the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The caller's id if it is harmless in a log, else a new one.
    fn of(headers: &HeaderMap) -> Self {
        let sane = |id: &str| {
            (1..=LONGEST_ID).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| sane(id));
        Self(given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where the log line learns who calls.
#[derive(Debug, Clone, Default)]
struct CallerSlot(Arc<OnceLock<String>>);

/// Names the caller in the log line of his request.
pub(crate) fn name_caller(extensions: &Extensions, principal: &str) {
    if let Some(CallerSlot(slot)) = extensions.get() {
        // A second extractor would only name the same caller again.
        let _named_before = slot.set(principal.to_owned());
    }
}

/// Gives the request its id and writes its line when it is answered.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers());
    let caller = CallerSlot::default();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(caller.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    tracing::info!(
        request_id = %id,
        %method,
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        principal = caller.0.get().map_or("none", String::as_str),
        "api.request.answered"
    );
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(given: &'static str) -> String {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(given))]);
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn a_harmless_id_is_kept_and_any_other_replaced() {
        assert_eq!(id_of("trace-1.a_B"), "trace-1.a_B");
        for bad in ["", "a b", "a\"b", "a=b"] {
            assert!(Uuid::parse_str(&id_of(bad)).is_ok(), "{bad:?}");
        }
    }
}
