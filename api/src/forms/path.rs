use axum::{extract::FromRequestParts, http::request::Parts};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{params::PathId, problem::Problem, state::Api};

/// Names a form. What is no UUID names nothing: 404.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("form_id"), parameter_in = Path)]
pub(crate) struct FormPath(
    /// Form, in lower case with hyphens.
    #[param(example = "0190a0b0-0000-5000-8000-00000000000f")]
    pub(super) Uuid,
);

impl<S: Send + Sync> FromRequestParts<S> for FormPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        PathId::from_request_parts(parts, state).await.map(|PathId(form_id)| Self(form_id))
    }
}

/// A form that somebody submits who has not submitted it too often. Nothing of his body is read before that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submitted(pub(super) Uuid);

impl FromRequestParts<Api> for Submitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let FormPath(form_id) = FormPath::from_request_parts(parts, api).await?;
        api.rate_limits.take_turn_at(form_id, &parts.extensions, &parts.headers)?;
        Ok(Self(form_id))
    }
}
