use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{domain::millis, steps::StepBounds};

/// Every duration of a redemption and of its undoing, fixed when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiftPolicy {
    /// How long a redemption may be undone.
    #[serde(with = "millis")]
    pub void_window: Duration,
    /// A run whose first update does not come ends after this.
    #[serde(with = "millis")]
    pub first_update: Duration,
    /// A step that fails for this long sets `NeedsAttention`.
    #[serde(with = "millis")]
    pub attention: Duration,
    /// Bound of a step on our own store while a caller waits.
    #[serde(with = "millis")]
    pub answering: Duration,
    /// Bound of one attempt at a step.
    #[serde(with = "millis")]
    pub attempt: Duration,
    /// Longest pause between two attempts.
    #[serde(with = "millis")]
    pub retry_at_most: Duration,
}

impl GiftPolicy {
    pub(super) const fn bounds(&self) -> StepBounds {
        StepBounds {
            answering: self.answering,
            attempt: self.attempt,
            retry_at_most: self.retry_at_most,
            attention: self.attention,
        }
    }
}
