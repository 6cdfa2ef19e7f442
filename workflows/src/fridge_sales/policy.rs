use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{domain::millis, steps::StepBounds};

/// Every duration and threshold of a sale, fixed when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalePolicy {
    /// Until Vendron has to acknowledge a command.
    #[serde(with = "millis")]
    pub acknowledgement: Duration,
    /// Until the machine has to begin after a request, and the door to unlock after that.
    #[serde(with = "millis")]
    pub unlock: Duration,
    /// An open door is told to the operators after this, and again after [`Self::door_escalation`].
    #[serde(with = "millis")]
    pub door_alarm: Duration,
    /// From the opening.
    #[serde(with = "millis")]
    pub door_escalation: Duration,
    /// The final list has to come this long after the door was closed; then the machine is asked.
    #[serde(with = "millis")]
    pub closed_to_completed: Duration,
    /// A sale that nothing is heard of makes the holder of its websocket ask the machine this often.
    #[serde(with = "millis")]
    pub poll: Duration,
    /// A machine that is available again has this long to report the end that was not heard.
    #[serde(with = "millis")]
    pub settle: Duration,
    /// A sale whose door is closed, or of whose door nothing was heard, is unresolved this long after its closing, or after
    /// it was asked to open.
    #[serde(with = "millis")]
    pub overdue: Duration,
    /// How long the late end of an unresolved sale is listened for.
    #[serde(with = "millis")]
    pub late: Duration,
    /// How long one holder keeps the websocket of a sale; then another one takes over.
    #[serde(with = "millis")]
    pub longest: Duration,
    /// The holder of a websocket that gives no sign of life for this long is replaced.
    #[serde(with = "millis")]
    pub heartbeat: Duration,
    /// Alerts of one kind about one machine are this far apart.
    #[serde(with = "millis")]
    pub alert_window: Duration,
    /// How long an alert is tried.
    #[serde(with = "millis")]
    pub alert_patience: Duration,
    /// A run whose first update does not come ends after this.
    #[serde(with = "millis")]
    pub first_update: Duration,
    /// How long each step may take.
    #[serde(flatten)]
    pub bounds: StepBounds,
}

/// Every duration of the question how a machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPolicy {
    /// Until Vendron has to acknowledge the question, and until it has to answer.
    #[serde(with = "millis")]
    pub acknowledgement: Duration,
    /// A run whose first update does not come ends after this.
    #[serde(with = "millis")]
    pub first_update: Duration,
    /// How long each step may take.
    #[serde(flatten)]
    pub bounds: StepBounds,
}
