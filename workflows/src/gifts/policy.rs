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
    /// How long each step may take.
    #[serde(flatten)]
    pub bounds: StepBounds,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Histories that were recorded when every policy spelt these fields out keep their meaning.
    #[test]
    fn the_bounds_of_steps_stand_among_the_fields_of_a_policy() {
        let seconds = Duration::from_secs;
        let bounds =
            StepBounds { attention: seconds(3), answering: seconds(4), attempt: seconds(5), retry_at_most: seconds(6) };
        let policy = GiftPolicy { void_window: seconds(1), first_update: seconds(2), bounds };
        let written = json!({
            "void_window": 1000,
            "first_update": 2000,
            "attention": 3000,
            "answering": 4000,
            "attempt": 5000,
            "retry_at_most": 6000,
        });
        assert_eq!(serde_json::to_value(&policy).unwrap(), written);
        assert_eq!(serde_json::from_value::<GiftPolicy>(written).unwrap(), policy);
    }
}
