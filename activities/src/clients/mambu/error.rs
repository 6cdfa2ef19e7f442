use reqwest::StatusCode;

use crate::clients::NoAnswer;

/// Why Mambu did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum MambuError {
    /// It may have happened, or still happen: no answer, one that cannot be read, or one that says nothing about it.
    #[error("{operation} has no known outcome")]
    OutcomeUnknown {
        /// What was asked.
        operation: &'static str,
        /// What came instead of an answer.
        #[source]
        source: NoAnswer,
    },
    /// Mambu asks to come again.
    #[error("{operation} has to wait: {reason}")]
    NotNow {
        /// What was asked.
        operation: &'static str,
        /// Mambu's `errorReason`.
        reason: String,
    },
    /// It says no to what was asked.
    #[error("{operation} was refused with {status}: {reason}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// How it was answered.
        status: StatusCode,
        /// Mambu's `errorReason`.
        reason: String,
    },
    /// It says no to whoever asks.
    #[error("{operation} is not permitted with these credentials: {status} {reason}")]
    NotPermitted {
        /// What was asked.
        operation: &'static str,
        /// How it was answered.
        status: StatusCode,
        /// Mambu's `errorReason`; empty where it gave none.
        reason: String,
    },
    /// Its address cannot have a path.
    #[error("Mambu's URL cannot have a path")]
    BadUrl,
    /// They have characters that no header can carry.
    #[error("Mambu's credentials cannot be sent in a header")]
    BadCredentials,
    /// There is no HTTP client.
    #[error("the HTTP client for Mambu cannot be prepared")]
    NoClient(#[source] reqwest::Error),
}

/// Reasons that pass by themselves.
const PASSING: [&str; 3] = ["BLOCKING_OPERATION_IN_PROGRESS", "EXCESSIVE_INVALID_REQUESTS", "INTERNAL_ERROR"];
/// Reasons that are about our credentials and their rights, not about what was asked.
const ABOUT_US: [&str; 8] = [
    "INVALID_BASIC_AUTHORIZATION",
    "INVALID_CREDENTIALS",
    "INVALID_API_OPERATION",
    "METHOD_NOT_IMPLEMENTED",
    "API_NOT_AUTHORIZED",
    "API_CONFIGURATION_ERROR",
    "INVALID_TENANT_ID",
    "INVALID_PERMISSIONS",
];

impl MambuError {
    /// What an answer of the 400s means: by its reason, never by Mambu's number. One without a reason is not Mambu's.
    pub(super) fn refusal(operation: &'static str, status: StatusCode, reason: Option<String>) -> Self {
        let about_us = status == StatusCode::UNAUTHORIZED;
        match reason {
            Some(reason) if PASSING.contains(&reason.as_str()) => Self::NotNow { operation, reason },
            Some(reason) if about_us || ABOUT_US.contains(&reason.as_str()) => {
                Self::NotPermitted { operation, status, reason }
            }
            Some(reason) => Self::Refused { operation, status, reason },
            None if about_us || status == StatusCode::FORBIDDEN => {
                Self::NotPermitted { operation, status, reason: String::new() }
            }
            None => Self::OutcomeUnknown { operation, source: NoAnswer::Status(status) },
        }
    }

    /// For what came instead of an answer.
    pub(super) fn unknown(operation: &'static str) -> impl Fn(NoAnswer) -> Self {
        move |source| Self::OutcomeUnknown { operation, source }
    }

    /// An answer that can be read and cannot be true: what really happened is unknown.
    pub(crate) fn senseless(operation: &'static str, what: &'static str) -> Self {
        Self::OutcomeUnknown { operation, source: NoAnswer::Senseless(what) }
    }

    /// The time is over in the middle of it.
    pub(crate) fn out_of_time(operation: &'static str) -> Self {
        Self::OutcomeUnknown { operation, source: NoAnswer::OutOfTime }
    }

    /// Whether Mambu says that it has nothing of this id.
    pub(super) fn is_absence(&self) -> bool {
        let Self::Refused { status, reason, .. } = self else {
            return false;
        };
        *status == StatusCode::NOT_FOUND || (reason.starts_with("INVALID_") && reason.ends_with("_ID"))
    }

    /// Whether neither time nor another request mends it: settings, keys or rights are wrong.
    pub(crate) fn is_for_an_operator(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. } | Self::NotNow { .. } => false,
            Self::Refused { .. }
            | Self::NotPermitted { .. }
            | Self::BadUrl
            | Self::BadCredentials
            | Self::NoClient(_) => true,
        }
    }
}
