use reqwest::StatusCode;

/// Why the address service gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum AddressServiceError {
    /// It did not answer, or not in its own words.
    #[error("{operation} got no readable answer")]
    Unanswered {
        /// What was asked.
        operation: &'static str,
        /// What the HTTP client says.
        #[source]
        source: reqwest::Error,
    },
    /// It is not able to answer now.
    #[error("{operation} was answered with {status}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// How it was answered.
        status: StatusCode,
    },
    /// It says no, and will say no again.
    #[error("{operation} was refused with {status}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// How it was answered.
        status: StatusCode,
    },
    /// Its address cannot have a path.
    #[error("the address service's URL cannot have a path")]
    BadUrl,
}

impl AddressServiceError {
    pub(super) fn during(operation: &'static str) -> impl Fn(reqwest::Error) -> Self {
        move |source| Self::Unanswered { operation, source: source.without_url() }
    }
}
