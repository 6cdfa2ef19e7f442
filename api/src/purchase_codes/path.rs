use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use utoipa::IntoParams;

use crate::{problem::Problem, text::is_outside_id};

/// Names a purchase: its credit line and its code.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct PurchasePath {
    /// Credit line.
    #[param(example = "CL-1")]
    pub(super) id: String,
    /// Code, in any case and with any hyphens.
    #[param(example = "7K3M9QX2VD4T8B5N1RWZA")]
    pub(super) code: String,
}

/// Names a loan. What cannot be the id of one names nothing: 404.
#[derive(IntoParams)]
#[into_params(names("loan_account_id"), parameter_in = Path)]
pub(crate) struct LoanPath(
    /// Loan.
    #[param(example = "LN-1")]
    pub(super) String,
);

impl<S: Send + Sync> FromRequestParts<S> for PurchasePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((id, code))) => Ok(Self { id, code }),
            Err(_unreadable) => Err(Problem::from(StatusCode::NOT_FOUND)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LoanPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let loan = Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(loan)| loan);
        loan.filter(|loan| is_outside_id(loan)).map(Self).ok_or_else(|| Problem::from(StatusCode::NOT_FOUND))
    }
}

/// One part of a path, percent-encoded.
pub(super) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect::<Vec<_>>().concat()
}
