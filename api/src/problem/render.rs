use std::{any::Any, error::Error, iter::successors};

use axum::{
    Json,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{FieldError, Problem};
use crate::request_log::RequestId;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error (RFC 9457). Some codes have members of their own beside these.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    /// `urn:perdura:problem:` and the code.
    #[schema(format = "uri")]
    r#type: String,
    /// What all problems with this code share, for people.
    title: &'a str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is the matter this time, for people.
    detail: &'a str,
    /// For programs: once published, it keeps its meaning.
    code: &'a str,
    /// `urn:perdura:request:` and the request's id.
    #[schema(format = "uri")]
    instance: String,
    /// Each field, parameter or header that is wrong; empty for most codes.
    errors: &'a [FieldError],
    #[serde(flatten)]
    #[schema(ignore)]
    members: &'a Map<String, Value>,
}

/// Gives every error its body, those of the framework included, and logs what is our fault, once.
pub(crate) async fn render(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if (status.is_client_error() || status.is_server_error()) && !says_why(&response) => Problem::from(status),
        None => return response,
    };
    log(&problem, &id, route.as_ref());
    respond(&problem, &id, response.headers())
}

/// Readiness has a body of its own, whatever its status.
fn says_why(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|content_type| content_type == "application/json")
}

/// A handler that panicked.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or("of an unknown type").to_owned(),
    };
    Problem::unforeseen(format!("a handler panicked: {message}")).into_response()
}

fn respond(problem: &Problem, id: &RequestId, headers: &HeaderMap) -> Response {
    let inner = &problem.0;
    let body = Body {
        r#type: format!("urn:perdura:problem:{}", inner.kind.code),
        title: inner.kind.title,
        status: inner.kind.status.as_u16(),
        detail: &inner.detail,
        code: inner.kind.code,
        instance: format!("urn:perdura:request:{id}"),
        errors: &inner.errors,
        members: &inner.members,
    };
    let mut response = (inner.kind.status, Json(body)).into_response();
    let kept = headers.iter().filter(|(name, _)| **name != header::CONTENT_TYPE && **name != header::CONTENT_LENGTH);
    response.headers_mut().extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
    if let Some((name, value)) = inner.header.clone() {
        response.headers_mut().insert(name, value);
    }
    response
}

fn log(problem: &Problem, id: &RequestId, route: Option<&MatchedPath>) {
    let Some(cause) = &problem.0.cause else { return };
    let route = route.map_or("none", MatchedPath::as_str);
    let (code, cause) = (problem.0.kind.code, chain(cause.as_ref()));
    if problem.0.kind.status.as_u16() == 500 {
        tracing::error!(request_id = %id, route, code, cause, "api.request.failed");
    } else {
        tracing::warn!(request_id = %id, route, code, cause, "api.request.unavailable");
    }
}

/// An error with all that led to it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let errors: Vec<_> = successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    errors.join(": ")
}
