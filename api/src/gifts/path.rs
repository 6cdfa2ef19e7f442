use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use utoipa::IntoParams;

use crate::{problem::Problem, text::is_outside_id};

/// Names a gift. What cannot be the id of one names nothing: 404.
#[derive(IntoParams)]
#[into_params(names("gift_id"), parameter_in = Path)]
pub(crate) struct GiftPath(
    /// Gift.
    #[param(example = "GIFT-1")]
    pub(super) String,
);

impl<S: Send + Sync> FromRequestParts<S> for GiftPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let gift = Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(gift)| gift);
        gift.filter(|gift| is_outside_id(gift)).map(Self).ok_or_else(|| Problem::from(StatusCode::NOT_FOUND))
    }
}
