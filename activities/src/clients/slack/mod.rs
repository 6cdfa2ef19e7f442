//! Slack: an incoming webhook, which shows a message in the channel that it belongs to.

mod error;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

pub use error::SlackError;

use super::{
    NoAnswer,
    http::{self, Answer},
};

/// A client of one webhook.
#[derive(Clone)]
pub struct Slack {
    client: Client,
    webhook: SecretString,
}

impl Slack {
    /// A client of the webhook, whose URL is all that it takes to write there, that waits at most `time_out`.
    pub fn new(webhook: SecretString, time_out: Duration) -> Result<Self, SlackError> {
        let url = Url::parse(webhook.expose_secret()).map_err(|_| SlackError::BadUrl)?;
        if !(matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Err(SlackError::BadUrl);
        }
        let client = http::client(time_out).map_err(SlackError::NoClient)?;
        Ok(Self { client, webhook })
    }

    /// Shows a message. Nothing in it calls anybody or becomes a link: it may be somebody else's words.
    pub async fn send(&self, text: &str) -> Result<(), SlackError> {
        let request = self.client.post(self.webhook.expose_secret()).json(&json!({ "text": escaped(text) }));
        let answer = Answer::to(request).await.map_err(SlackError::NotTaken)?;
        match answer.status {
            status if status.is_success() => Ok(()),
            status if answer.is_passing() => Err(SlackError::NotTaken(NoAnswer::Status(status))),
            status => Err(SlackError::Refused(status)),
        }
    }
}

impl fmt::Debug for Slack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Slack")
    }
}

/// The three characters that mean something to Slack, as it wants them written.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
