//! What operators are told at once, where they talk to each other.

use std::{convert::Infallible, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;
use uuid::Uuid;

use crate::domain::millis;

/// The channel, or our own record of alerts, does not answer.
pub const UNAVAILABLE: &str = "alerts.unavailable";
/// The channel refuses what we send.
pub const REFUSED: &str = "alerts.refused";

/// What an alert is about: one subject has one alert of a kind within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A machine refused a sale, or did not answer.
    RequestError,
    /// A door is open for long.
    DoorLeftOpen,
    /// It is still open.
    DoorStillOpen,
    /// The end of a sale was missed.
    Unresolved,
    /// The end came after all.
    LateEnd,
    /// Products and total contradict each other.
    TotalMismatch,
}

impl AlertKind {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestError => "request_error",
            Self::DoorLeftOpen => "door_left_open",
            Self::DoorStillOpen => "door_still_open",
            Self::Unresolved => "unresolved",
            Self::LateEnd => "late_end",
            Self::TotalMismatch => "total_mismatch",
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alert {
    /// The same for every attempt: an alert is told once, however often its step runs.
    pub alert_id: Uuid,
    /// What kind.
    pub kind: AlertKind,
    /// What it is about, such as a machine.
    pub subject: String,
    /// What to say: nothing personal, no secret.
    pub text: String,
    /// Alerts of one kind about one subject are this far apart; those in between are counted in the next.
    #[serde(with = "millis")]
    pub window: Duration,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertResult {
    /// It was told.
    Sent,
    /// It is recorded, and was not told: there was one like it, or there is no channel.
    Recorded,
}

/// Tells operators.
pub struct Alerts;

#[activity_definitions]
impl Alerts {
    /// Records an alert and tells it, unless there was one like it just before.
    #[activity(name = "alerts.send")]
    pub fn tell(_: Alert) -> Result<AlertResult, Infallible> {
        unimplemented!()
    }
}

pub use alerts::Tell as TellActivity;
