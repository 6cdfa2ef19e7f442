use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use utoipa::IntoParams;

use crate::{problem::Problem, text::is_outside_id};

/// Names a machine. What cannot be the id of one names nothing: 404.
#[derive(IntoParams)]
#[into_params(names("machine_id"), parameter_in = Path)]
pub(crate) struct MachinePath(
    /// Machine.
    #[param(example = "FRIDGE-1")]
    pub(super) String,
);

impl<S: Send + Sync> FromRequestParts<S> for MachinePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let machine = Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(machine)| machine);
        machine.filter(|machine| is_outside_id(machine)).map(Self).ok_or_else(|| Problem::from(StatusCode::NOT_FOUND))
    }
}
