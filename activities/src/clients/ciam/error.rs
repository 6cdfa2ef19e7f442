use reqwest::StatusCode;

use crate::clients::NoAnswer;

/// Why CIAM gave no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CiamError {
    /// It may have decided: no answer, one that cannot be read, or one that says nothing about it.
    #[error("{operation} has no known outcome")]
    OutcomeUnknown {
        /// What was asked.
        operation: &'static str,
        /// What came instead of an answer.
        #[source]
        source: NoAnswer,
    },
    /// It says no to the request, or to whoever asks: it gave no verdict.
    #[error("{operation} was refused with {status}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// How it was answered.
        status: StatusCode,
    },
    /// Its address cannot have a path.
    #[error("CIAM's URL cannot have a path")]
    BadUrl,
    /// It has characters that no header can carry.
    #[error("CIAM's key cannot be sent in a header")]
    BadKey,
    /// There is no HTTP client.
    #[error("the HTTP client for CIAM cannot be prepared")]
    NoClient(#[source] reqwest::Error),
}

impl CiamError {
    /// For what came instead of an answer.
    pub(super) fn unknown(operation: &'static str) -> impl Fn(NoAnswer) -> Self {
        move |source| Self::OutcomeUnknown { operation, source }
    }
}
