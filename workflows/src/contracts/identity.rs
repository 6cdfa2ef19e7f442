//! One-time passwords at the identity provider, CIAM.

use std::convert::Infallible;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;
use uuid::Uuid;

use crate::domain::Confidential;

/// CIAM does not answer, or not in a way that can be read; the next attempt asks first what became of this one.
pub const UNAVAILABLE: &str = "identity.unavailable";
/// CIAM refuses our credentials or our requests: an operator has to mend that.
pub const MISCONFIGURED: &str = "identity.misconfigured";

/// Spends a one-time password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ValidateOtp {
    /// Whose it is.
    pub client_id: String,
    /// What was typed.
    pub otp: Confidential,
    /// Under which CIAM remembers this validation: the purchase's id.
    pub reference: Uuid,
    /// What is confirmed: loan, amount, currency and provider. CIAM gets the SHA-256 of it, in hexadecimal.
    pub binding: String,
}

/// What CIAM says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtpResult {
    /// It was right, and is spent.
    Approved,
    /// It is wrong, expired, used, or confirms something else.
    Refused {
        /// Tries that are left, where CIAM tells.
        attempts_left: Option<u32>,
    },
    /// Too many were wrong.
    Locked {
        /// Until then.
        until: DateTime<Utc>,
    },
}

/// The identity provider.
pub struct Identity;

#[activity_definitions]
impl Identity {
    /// Spends a one-time password, once.
    #[activity(name = "identity.validate_otp")]
    pub fn validate_otp(_: ValidateOtp) -> Result<OtpResult, Infallible> {
        unimplemented!()
    }
}

pub use identity::ValidateOtp as ValidateOtpActivity;
