//! Errors as callers see them: RFC 9457 `application/problem+json`, each with a stable code.
//!
//! A handler returns a [`Problem`]; [`render`] turns it, and every error of the framework, into the body.

pub(crate) mod kinds;
mod render;

use std::{error::Error, sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use store::{dynamodb::TableError, postgres::StoreError};
use utoipa::ToSchema;

use kinds::Kind;

pub(crate) use render::{Body as ProblemBody, panicked, render};

/// When a caller may try again after an outage, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request is refused.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    header: Option<(HeaderName, HeaderValue)>,
    cause: Option<Cause>,
}

type Cause = Arc<dyn Error + Send + Sync>;

/// What is wrong with one field, parameter or header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Its path in the body, or its name.
    pub(crate) field: String,
    /// What is wrong.
    pub(crate) detail: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// The value, or a note of what is wrong.
pub(crate) fn noted<T>(checked: Result<T, FieldError>, errors: &mut Vec<FieldError>) -> Option<T> {
    checked.map_err(|error| errors.push(error)).ok()
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let inner = Inner { kind, detail, errors: Vec::new(), members: Map::new(), header: None, cause: None };
        Self(Box::new(inner))
    }

    /// A problem with named fields.
    pub(crate) fn with_errors(kind: Kind, detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(kind, detail);
        problem.0.errors = errors;
        problem
    }

    /// A problem with one named field.
    pub(crate) fn with_error(kind: Kind, field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::with_errors(kind, format!("{field}: {detail}"), vec![FieldError::new(field, detail)])
    }

    /// The thing is not there, or not for this caller.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(kinds::NOT_FOUND, format!("there is no such {what}"))
    }

    /// No key, or one that does not work.
    pub(crate) fn unauthenticated(detail: &str) -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"perdura\"");
        Self::new(kinds::UNAUTHENTICATED, detail).header(header::WWW_AUTHENTICATE, challenge)
    }

    /// Something that we need is away; the same request may succeed soon.
    pub(crate) fn temporarily_unavailable(detail: &str) -> Self {
        Self::new(kinds::TEMPORARILY_UNAVAILABLE, detail).header(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// The caller sent too much; something of him will be let through after `wait`.
    pub(crate) fn rate_limited(wait: Duration) -> Self {
        Self::new(kinds::RATE_LIMITED, "slow down, and repeat the request after the time in Retry-After")
            .header(header::RETRY_AFTER, whole_seconds(wait))
    }

    /// No PIN is looked at before `wait` is over.
    pub(crate) fn gift_pin_locked(wait: Duration) -> Self {
        Self::new(kinds::GIFT_PIN_LOCKED, "no PIN is looked at before the time in Retry-After is over")
            .header(header::RETRY_AFTER, whole_seconds(wait))
    }

    /// A bug or a broken installation: the caller learns nothing but an id, the log has the cause.
    pub(crate) fn unforeseen(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(kinds::INTERNAL, "the error is logged under the id in \"instance\"").caused_by(cause)
    }

    /// Adds a member of its own to the body.
    pub(crate) fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds what is logged and never shown.
    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(Arc::from(cause.into()));
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.0.kind.code
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }
}

/// A time to come back after, at least a second.
fn whole_seconds(wait: Duration) -> HeaderValue {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(seconds.max(1))
}

impl IntoResponse for Problem {
    /// The status, the header, and the problem itself for [`render`], which knows the request.
    fn into_response(self) -> Response {
        let mut response = self.0.kind.status.into_response();
        if let Some((name, value)) = self.0.header.clone() {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_outage() {
            return Self::temporarily_unavailable("the database does not answer").caused_by(error);
        }
        Self::unforeseen(error)
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        if error.is_corrupt() {
            return Self::unforeseen(error);
        }
        Self::temporarily_unavailable("the tables of the purchases do not answer").caused_by(error)
    }
}

impl From<StatusCode> for Problem {
    fn from(status: StatusCode) -> Self {
        match kinds::of_status(status) {
            kinds::TEMPORARILY_UNAVAILABLE => Self::temporarily_unavailable("the request took too long"),
            kind => Self::new(kind, kind.title.to_lowercase()),
        }
    }
}
