//! Parameters of the path and the query, with problems as refusals.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::{StatusCode, request::Parts},
};
use chrono::{DateTime, Utc};
use utoipa::{
    IntoParams,
    openapi::{
        Object, ObjectBuilder,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::Type,
    },
};
use uuid::Uuid;

use crate::{
    cursor,
    problem::{FieldError, Problem, kinds},
};

/// Items of a page at most.
const MOST: i64 = 100;
/// Items of a page when nobody says otherwise.
pub(crate) const USUALLY: i64 = 20;

/// The one id in a path. What is no UUID names nothing: 404.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub(crate) struct PathId(
    /// Id, in lower case with hyphens.
    #[param(example = "0190a0b0-0000-7000-8000-00000000000a")]
    pub(crate) Uuid,
);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(text)| text);
        text.and_then(|text| id(&text)).map(Self).ok_or_else(|| Problem::from(StatusCode::NOT_FOUND))
    }
}

/// An id in a path, in the one spelling that the API gives out: the others that the parser takes would give one object
/// many addresses.
pub(crate) fn id(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok().filter(|id| id.to_string() == text)
}

/// The parameters of a query, each at most once.
#[derive(Debug)]
pub(crate) struct QueryPairs(pub(crate) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for QueryPairs {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else {
            return Err(Problem::new(kinds::INVALID_QUERY, "the query cannot be read"));
        };
        for (index, (name, value)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(other, _)| other == name) {
                return Err(Problem::with_error(kinds::INVALID_QUERY, name, "is given twice"));
            }
            if value.chars().any(char::is_control) {
                return Err(Problem::with_error(kinds::INVALID_QUERY, name, "has a control character"));
            }
        }
        Ok(Self(pairs))
    }
}

impl QueryPairs {
    /// Hands every parameter to `set`, or names each that is wrong.
    pub(crate) fn read(self, mut set: impl FnMut(&str, String) -> Result<(), &'static str>) -> Result<(), Problem> {
        let wrong = |(name, value): (String, String)| set(&name, value).err().map(|flaw| FieldError::new(name, flaw));
        let errors: Vec<_> = self.0.into_iter().filter_map(wrong).collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(Problem::with_errors(kinds::INVALID_QUERY, "see \"errors\" for each parameter", errors))
    }
}

/// A moment.
pub(crate) fn time(value: &str) -> Result<DateTime<Utc>, &'static str> {
    let time = DateTime::parse_from_rfc3339(value).map_err(|_| "is no time as in 2026-01-31T12:00:00Z")?;
    Ok(time.to_utc())
}

/// How many items a page may have.
pub(crate) fn limit(value: &str) -> Result<i64, &'static str> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| digits).filter(|limit| (1..=MOST).contains(limit)).ok_or("is not between 1 and 100")
}

/// A parameter of a query, as the API's description shows it.
pub(crate) fn query((name, schema, description): (&str, Object, &str)) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
    parameter.schema(Some(schema)).description(Some(description)).build()
}

/// The parameters of every list.
pub(crate) fn paging() -> [Parameter; 2] {
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MOST));
    let cursor = ObjectBuilder::new().schema_type(Type::String).pattern(Some(cursor::PATTERN));
    [
        query(("limit", limit.default(Some(USUALLY.into())).build(), "How many at most")),
        query(("cursor", cursor.build(), "Goes on where a page ended: its `next_cursor`")),
    ]
}
