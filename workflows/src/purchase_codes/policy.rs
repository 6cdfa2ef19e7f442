use std::time::Duration;

use chrono::FixedOffset;
use serde::{Deserialize, Serialize};

use crate::{domain::millis, steps::StepBounds};

/// Every duration and threshold of a purchase, fixed when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchasePolicy {
    /// Time to scan, from the issue.
    #[serde(with = "millis")]
    pub expires_in: Duration,
    /// The organisation's offset from UTC in seconds: its days begin and end by it.
    pub utc_offset_seconds: i32,
    /// How long the loan and the one-time password may stay unanswered before the caller hears no. Nothing is disbursed
    /// then.
    #[serde(with = "millis")]
    pub patience: Duration,
    /// After the end of a code, until its voucher is deleted once more: longer than drawing one takes.
    #[serde(with = "millis")]
    pub image_grace: Duration,
    /// Between two tries at a reversal that something stands in the way of.
    #[serde(with = "millis")]
    pub blocked_retry: Duration,
    /// A run whose first update does not come ends after this, if nothing was begun. Longer than an attempt: what a lost task
    /// had sent to Mambu has to be over when the loan is looked at.
    #[serde(with = "millis")]
    pub first_update: Duration,
    /// How long each step may take.
    #[serde(flatten)]
    pub bounds: StepBounds,
}

impl PurchasePolicy {
    /// The organisation's offset from UTC; an impossible one is none.
    pub fn offset(&self) -> FixedOffset {
        FixedOffset::east_opt(self.utc_offset_seconds).unwrap_or(chrono::Offset::fix(&chrono::Utc))
    }
}
