use reqwest::StatusCode;

use crate::clients::NoAnswer;

/// Why Slack does not show a message. Its URL is a secret and in none of these.
#[derive(Debug, thiserror::Error)]
pub enum SlackError {
    /// It may show it later, or shows it already: no answer came, or one for now.
    #[error("Slack has not taken the message")]
    NotTaken(#[source] NoAnswer),
    /// It says no, and will say no again.
    #[error("Slack refused the message with {0}")]
    Refused(StatusCode),
    /// What is to be its URL is none.
    #[error("Slack's webhook is no http or https URL")]
    BadUrl,
    /// There is no HTTP client.
    #[error("the HTTP client for Slack cannot be prepared")]
    NoClient(#[source] reqwest::Error),
}

impl SlackError {
    /// Whether the same message may be taken another time.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NotTaken(_))
    }
}
