//! Asking over HTTP: with time-outs, without redirects, and never more of an answer than fits.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

const CONNECT: Duration = Duration::from_secs(2);
/// Nothing that is asked here has a longer answer.
const LARGEST_BODY: usize = 1 << 20;

/// Why there is no answer that can be read. Nothing of its content is told: it may be personal.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// None came in time, or not all of it.
    #[error("no whole answer came")]
    Lost(#[source] reqwest::Error),
    /// There was no time left to wait for it.
    #[error("the time of this attempt is over")]
    OutOfTime,
    /// The system is not able to answer, or something on the way to it is not.
    #[error("it was answered with {0}")]
    Status(StatusCode),
    /// There is no end to it.
    #[error("the answer is too large")]
    TooLarge,
    /// It is not the JSON that was agreed on.
    #[error("the answer is not the JSON that it should be: {problem} at line {line}, column {column}")]
    Unreadable {
        /// In which way.
        problem: &'static str,
        /// Where, from 1.
        line: usize,
        /// Where in that line, from 1.
        column: usize,
    },
    /// It can be read and cannot be true.
    #[error("the answer makes no sense: {0}")]
    Senseless(&'static str),
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

/// A client that waits at most `time_out` for a whole answer. It follows no redirect: a key must not travel on.
pub(super) fn client(time_out: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(CONNECT)
        .timeout(time_out)
        .redirect(redirect::Policy::none())
        .user_agent("perdura")
        .build()
}

impl Answer {
    /// Sends a request and reads what comes back, whatever its status.
    pub(super) async fn to(request: RequestBuilder) -> Result<Self, NoAnswer> {
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(NoAnswer::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, body })
    }

    /// Its body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, NoAnswer> {
        serde_json::from_slice(&self.body).map_err(|error| NoAnswer::Unreadable {
            problem: word(error.classify()),
            line: error.line(),
            column: error.column(),
        })
    }

    /// Whether the same request may be answered otherwise another time. Redirects count: no system here sends any.
    pub(super) fn is_passing(&self) -> bool {
        let for_now = matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        for_now || !(self.status.is_success() || self.status.is_client_error())
    }
}

fn lost(error: reqwest::Error) -> NoAnswer {
    NoAnswer::Lost(error.without_url())
}

fn word(category: Category) -> &'static str {
    match category {
        Category::Io => "unreadable",
        Category::Syntax => "no JSON",
        Category::Data => "another form",
        Category::Eof => "an early end",
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::fake_system::FakeSystem;

    fn answer(body: &str) -> Answer {
        Answer { status: StatusCode::OK, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn what_is_no_json_is_told_without_its_content() {
        for body in ["", "<html>Ana</html>", "{\"name\":\"Ana\"", "\"Ana\"", "[\"Ana\"]"] {
            let error = answer(body).json::<u32>().unwrap_err();
            assert!(matches!(error, NoAnswer::Unreadable { .. }), "{body}");
            assert!(!format!("{error} {error:?}").contains("Ana"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn an_endless_body_is_not_read() {
        let system = FakeSystem::start(|_, _| Some((200, "x".repeat(LARGEST_BODY + 1)))).await;
        let request = client(Duration::from_mins(1)).unwrap().get(system.url());
        assert!(matches!(Answer::to(request).await, Err(NoAnswer::TooLarge)));
    }

    #[tokio::test]
    async fn a_lost_answer_does_not_name_what_was_asked() {
        let system = FakeSystem::start(|_, _| None).await;
        let url = system.url().join("clients/ANA-1").unwrap();
        let Err(error) = Answer::to(client(Duration::from_mins(1)).unwrap().get(url)).await else {
            panic!("there was an answer");
        };
        assert!(matches!(error, NoAnswer::Lost(_)));
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(!format!("{error} {error:?} {source}").contains("ANA-1"), "{error:?}");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let system = FakeSystem::start(|_, _| Some((302, String::new()))).await;
        let answer = Answer::to(client(Duration::from_mins(1)).unwrap().get(system.url())).await.unwrap();
        assert!(answer.is_passing() && answer.status == StatusCode::FOUND);
        assert_eq!(system.asked().len(), 1);
    }
}
