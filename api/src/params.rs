//! Parameters of the path and the query, with problems as refusals.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::{StatusCode, request::Parts},
};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::problem::{Problem, kinds};

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
        let nothing = Problem::from(StatusCode::NOT_FOUND);
        let Ok(Path(text)) = Path::<String>::from_request_parts(parts, state).await else {
            return Err(nothing);
        };
        // The other spellings that the parser takes would give one object many addresses.
        let id = Uuid::parse_str(&text).ok().filter(|id| id.to_string() == text);
        id.map(Self).ok_or(nothing)
    }
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
