//! Faults of the outside systems, each for the requests that name one thing.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{TestApp, eventually};

/// More hits than any test has.
const MANY: u32 = 1_000_000;
/// How long a request is held that is held for a while, in milliseconds.
const A_WHILE: u32 = 1500;

impl TestApp {
    /// Calls a control route of the sandbox that only looks.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn look(&self, path: &str) -> Value {
        let url = format!("{}/_control{path}", self.stack().sandbox_url());
        let answer = self.http().get(url).send().await.expect("the sandbox");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("its answer")
    }

    /// Makes an operation of a system fail for what is named, a few times; what it holds, it holds for a while.
    pub async fn fail(&self, (system, operation): (&str, &str), kind: &str, name: &str, times: u32) {
        let fault = json!({
            "system": system, "operation": operation, "kind": kind, "match": name, "times": times, "delay_ms": A_WHILE,
        });
        self.control("/faults", fault).await;
    }

    /// The same until it is mended; what it holds, it holds for longer than anybody waits.
    pub async fn break_down(&self, (system, operation): (&str, &str), kind: &str, name: &str) {
        let fault = json!({ "system": system, "operation": operation, "kind": kind, "match": name, "times": MANY });
        self.control("/faults", fault).await;
    }

    /// Mends what is named, and lets every request go that is held for it.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn mend(&self, name: &str) {
        let url = format!("{}/_control/faults?match={name}", self.stack().sandbox_url());
        let answer = self.http().delete(url).send().await.expect("the sandbox");
        assert!(answer.status().is_success(), "{name}");
    }

    /// Waits until what was broken down has met a request.
    pub async fn until_struck(&self, name: &str) {
        let faults = || async { self.look("/faults").await["faults"].take() };
        let is_struck = |fault: &Value| {
            fault["match"] == name && fault["times"].as_u64().is_some_and(|left| left < u64::from(MANY))
        };
        let any = |faults: &Value| faults.as_array().into_iter().flatten().any(is_struck);
        eventually(&format!("a request that names {name}"), faults, any).await;
    }
}
