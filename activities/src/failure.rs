//! The one place that builds failures for Temporal: each call decides whether trying again can help.

use temporalio_sdk::{ApplicationFailure, activities::ActivityError};

/// Turns an error into the failure of an activity.
pub(crate) trait Failing<T> {
    /// Trying again can help.
    fn retryable(self, code: &'static str) -> Result<T, ActivityError>;
    /// Trying again cannot help.
    fn terminal(self, code: &'static str) -> Result<T, ActivityError>;
}

impl<T, E: std::error::Error + Send + Sync + 'static> Failing<T> for Result<T, E> {
    fn retryable(self, code: &'static str) -> Result<T, ActivityError> {
        self.map_err(|error| failure(error, code, false))
    }

    fn terminal(self, code: &'static str) -> Result<T, ActivityError> {
        self.map_err(|error| failure(error, code, true))
    }
}

fn failure(error: impl std::error::Error + Send + Sync + 'static, code: &'static str, terminal: bool) -> ActivityError {
    tracing::warn!(error = &error as &dyn std::error::Error, code, terminal, "an activity failed");
    let failure = ApplicationFailure::builder(anyhow::Error::new(error)).type_name(code.to_owned());
    failure.non_retryable(terminal).build().into()
}
