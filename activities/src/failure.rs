//! The one place that builds failures for Temporal: each call decides whether trying again can help.

use std::time::Duration;

use temporalio_sdk::{ApplicationFailure, activities::ActivityError};

/// Turns an error into the failure of an activity.
pub(crate) trait Failing<T> {
    /// Trying again can help.
    fn retryable(self, code: &'static str) -> Result<T, ActivityError>;
    /// Trying again helps, and soon: after this pause, however many attempts there were.
    fn retryable_after(self, pause: Duration, code: &'static str) -> Result<T, ActivityError>;
    /// Trying again cannot help.
    fn terminal(self, code: &'static str) -> Result<T, ActivityError>;
}

/// What comes after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Another attempt, as the step's retry policy says.
    Retry,
    /// Another attempt after this pause.
    RetryAfter(Duration),
    /// Nothing.
    End,
}

impl<T, E: std::error::Error + Send + Sync + 'static> Failing<T> for Result<T, E> {
    fn retryable(self, code: &'static str) -> Result<T, ActivityError> {
        self.map_err(|error| failure(error, code, Next::Retry))
    }

    fn retryable_after(self, pause: Duration, code: &'static str) -> Result<T, ActivityError> {
        self.map_err(|error| failure(error, code, Next::RetryAfter(pause)))
    }

    fn terminal(self, code: &'static str) -> Result<T, ActivityError> {
        self.map_err(|error| failure(error, code, Next::End))
    }
}

fn failure(error: impl std::error::Error + Send + Sync + 'static, code: &'static str, next: Next) -> ActivityError {
    let terminal = next == Next::End;
    tracing::warn!(error = &error as &dyn std::error::Error, code, terminal, "an activity failed");
    let pause = if let Next::RetryAfter(pause) = next { Some(pause) } else { None };
    let failure = ApplicationFailure::builder(anyhow::Error::new(error)).type_name(code.to_owned());
    failure.non_retryable(terminal).maybe_next_retry_delay(pause).build().into()
}
