//! Answers with personal data are nobody else's business.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// No cache keeps the answer, and no link tells where it was seen.
pub(crate) async fn keep(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
