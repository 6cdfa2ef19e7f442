use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{params, problem::Problem, text::is_outside_id};

/// Names a machine. What cannot be the id of one names nothing: 404.
#[derive(IntoParams)]
#[into_params(names("machine_id"), parameter_in = Path)]
pub(crate) struct MachinePath(
    /// Machine.
    #[param(example = "FRIDGE-1")]
    pub(super) String,
);

/// Names a sale, and proves to have been told of it. What cannot be the `ref` of one names nothing: 404.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct NotificationPath {
    /// `ref` of the sale, in lower case with hyphens.
    #[param(rename = "ref", example = "0190a0b0-0000-5000-8000-00000000000d")]
    pub(super) sale_ref: Uuid,
    /// Lets whoever has it tell what became of this one sale.
    #[param(pattern = "^[A-Za-z0-9_-]{43}$", example = "SkfmDOqXP03FaGW-pt0IubTWK56EnNEZdtCCEp_ocC0")]
    pub(super) token: String,
}

impl<S: Send + Sync> FromRequestParts<S> for MachinePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let machine = Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(machine)| machine);
        machine.filter(|machine| is_outside_id(machine)).map(Self).ok_or_else(|| Problem::from(StatusCode::NOT_FOUND))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NotificationPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await.ok();
        let named = path.and_then(|Path((sale, token))| Some(Self { sale_ref: params::id(&sale)?, token }));
        named.ok_or_else(|| Problem::not_found("sale"))
    }
}
