use std::fmt;

use serde::{Deserialize, Serialize};

/// Status of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleStatus {
    /// Recorded; nothing was asked of the machine, or it has not begun.
    Requested,
    /// The machine has begun: the door is being unlocked.
    Opening,
    /// The door is unlocked.
    Open,
    /// The door is closed, the final list has not come.
    Closed,
    /// The final list is there.
    Completed,
    /// It ended with nothing taken.
    Empty,
    /// The door did not open.
    Failed,
    /// The end was missed: a person has to look.
    Unresolved,
}

/// What is known of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorStatus {
    /// Nothing was heard of it.
    Unknown,
    /// Unlocked.
    Open,
    /// Closed and locked.
    Closed,
}

/// How a machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineStatus {
    /// It can be opened.
    Available,
    /// Somebody has it: Vendron's error -5.
    Busy,
    /// It is not online: Vendron's error -4.
    Offline,
    /// Vendron said no for another reason.
    Error,
    /// Vendron could not be reached.
    Unreachable,
    /// Vendron did not answer in time.
    Unanswered,
}

impl SaleStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Requested,
        Self::Opening,
        Self::Open,
        Self::Closed,
        Self::Completed,
        Self::Empty,
        Self::Failed,
        Self::Unresolved,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Opening => "opening",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Completed => "completed",
            Self::Empty => "empty",
            Self::Failed => "failed",
            Self::Unresolved => "unresolved",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether it is known what the buyer owes.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Completed | Self::Empty)
    }

    /// Whether the sale has ended, as far as anybody knows.
    pub const fn is_final(self) -> bool {
        self.is_settled() || matches!(self, Self::Failed | Self::Unresolved)
    }
}

impl fmt::Display for SaleStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl DoorStatus {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unknown, Self::Open, Self::Closed].into_iter().find(|status| status.as_str() == text)
    }
}

impl MachineStatus {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Offline => "offline",
            Self::Error => "error",
            Self::Unreachable => "unreachable",
            Self::Unanswered => "unanswered",
        }
    }
}
