//! CIAM: checks one-time passwords.

mod error;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{
    Client, RequestBuilder, StatusCode, Url,
    header::{ACCEPT, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

pub use error::CiamError;
pub use wire::Validation;

use super::http::{self, Answer};

/// What CIAM says of a one-time password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was right, and is spent.
    Approved,
    /// It is wrong.
    Invalid {
        /// Tries that are left.
        attempts_left: Option<u32>,
    },
    /// It is too old.
    Expired,
    /// It was spent before.
    AlreadyUsed,
    /// It confirms something else.
    OtherBinding,
    /// Too many were wrong.
    Locked {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// The client has none.
    NoneOutstanding,
}

/// A client of CIAM.
#[derive(Debug, Clone)]
pub struct Ciam {
    client: Client,
    base: Url,
    key: SecretString,
}

impl Ciam {
    /// A client of the service at `base`, that waits at most `time_out` for an answer.
    pub fn new(base: Url, key: SecretString, time_out: Duration) -> Result<Self, CiamError> {
        let client = http::client(time_out).map_err(CiamError::NoClient)?;
        HeaderValue::from_str(key.expose_secret()).map_err(|_| CiamError::BadKey)?;
        Ok(Self { client, base, key })
    }

    /// Has a one-time password checked, which spends it. After a lost answer, ask what became of the reference.
    pub async fn validate(&self, validation: &Validation<'_>) -> Result<Verdict, CiamError> {
        let operation = "validating a one-time password";
        let request = self.client.post(self.url(&["otp", "validate"])?).json(validation);
        let answer = self.ask(operation, request).await?;
        wire::verdict(operation, &answer, validation.reference)
    }

    /// What became of a validation; none when CIAM never saw it.
    pub async fn validation(&self, reference: Uuid) -> Result<Option<Verdict>, CiamError> {
        let operation = "asking for a validation";
        let url = self.url(&["otp", "validations", &reference.to_string()])?;
        let answer = self.ask(operation, self.client.get(url)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        wire::verdict(operation, &answer, reference).map(Some)
    }

    async fn ask(&self, operation: &'static str, request: RequestBuilder) -> Result<Answer, CiamError> {
        let request = request.bearer_auth(self.key.expose_secret()).header(ACCEPT, "application/json");
        Answer::to(request).await.map_err(CiamError::unknown(operation))
    }

    fn url(&self, segments: &[&str]) -> Result<Url, CiamError> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| CiamError::BadUrl)?.pop_if_empty().extend(segments);
        Ok(url)
    }
}
