//! How a client that takes idempotency seriously speaks with an API that dies all the time.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use system_tests::{Answer, within};
use tokio::time::sleep;

use super::Invoices;

/// Longer than any request may take.
const HANG: Duration = Duration::from_secs(20);
/// How long a client repeats a request before it gives up.
const PERSEVERANCE: Duration = Duration::from_secs(90);
/// Clients wait before they repeat; without that, those of a dead API would take the machine from everybody else.
const BREATH: Duration = Duration::from_millis(100);

impl Invoices {
    /// Sends the same request with the same key until there is a final answer.
    pub(super) async fn insist(&self, merchant: usize, path: &str, key: &str, body: &Value) -> Option<Answer> {
        let request = || {
            let request = self.merchants[merchant].request(Method::POST, path);
            self.attempt(request.header("Idempotency-Key", key).json(body))
        };
        let Ok(answer) = within(PERSEVERANCE, request, Option::is_some).await else {
            self.memory.note(format!("POST {path} with the key {key} got no final answer in {PERSEVERANCE:?}"));
            return None;
        };
        answer
    }

    /// Reads until there is an answer.
    pub(super) async fn read(&self, merchant: usize, path: &str) -> Option<Answer> {
        let request = || self.attempt(self.merchants[merchant].request(Method::GET, path));
        let Ok(answer) = within(PERSEVERANCE, request, Option::is_some).await else {
            self.memory.note(format!("GET {path} got no answer in {PERSEVERANCE:?}"));
            return None;
        };
        answer
    }

    /// One try. Nothing when the answer was not final, or was lost.
    async fn attempt(&self, request: RequestBuilder) -> Option<Answer> {
        let answer = match Answer::attempt(request.timeout(HANG)).await {
            Ok(answer) => answer,
            Err(error) => {
                if error.is_timeout() {
                    self.memory.note(format!("a request hung for {HANG:?}: {error}"));
                }
                sleep(BREATH).await;
                return None;
            }
        };
        match answer.status {
            StatusCode::ACCEPTED | StatusCode::SERVICE_UNAVAILABLE => {}
            status if status.is_server_error() => {
                self.memory.note(format!("the API answered {status}: {}", answer.body));
            }
            _ => return Some(answer),
        }
        if answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.body["code"] != "temporarily_unavailable" {
            self.memory.note(format!("a 503 is no problem+json of ours: {answer:?}"));
        }
        sleep(BREATH).await;
        None
    }
}
