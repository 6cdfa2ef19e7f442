//! The lives that a sale can have.

/// What becomes of a sale, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// Something is taken, and the door is closed.
    Bought,
    /// What is taken is put back.
    PutBack,
    /// Nothing is taken.
    Nothing,
    /// Vendron cancels the sale before anything is taken.
    GivenUp,
    /// The connection is cut while the door is open.
    Torn,
    /// Two users ask for the machine at once.
    AskedTwice,
    /// Vendron never tells of the end.
    Vanished,
    /// Vendron tells of the end when nobody expects it any more.
    Late,
    /// The machine is not there.
    Offline,
}

impl Plot {
    /// Whether Vendron tells of the end when it comes.
    pub(super) const fn is_told(self) -> bool {
        !matches!(self, Self::Vanished | Self::Late)
    }
}

/// What happens more often stands here more often.
pub(super) const PLOTS: [Plot; 14] = [
    Plot::Bought,
    Plot::Bought,
    Plot::Bought,
    Plot::Bought,
    Plot::PutBack,
    Plot::Nothing,
    Plot::GivenUp,
    Plot::Torn,
    Plot::Torn,
    Plot::AskedTwice,
    Plot::AskedTwice,
    Plot::Vanished,
    Plot::Late,
    Plot::Offline,
];

/// The one that makes a sale lose its end.
pub(super) const UNTOLD_END: (&str, &str) = ("completed", "timeout");

/// Only half of the end is posted, which says nothing.
pub(super) const HALF_POSTED: (&str, &str) = ("notification", "malformed");

/// What can go wrong between Vendron and its client.
pub(super) const TROUBLES: [(&str, &str); 12] = [
    ("request", "no_result"),
    ("request", "timeout"),
    ("door_open", "execute_then_timeout"),
    ("door_open", "no_result"),
    ("door_open", "timeout"),
    ("door_open", "error"),
    ("check", "timeout"),
    ("taken", "timeout"),
    ("closed", "malformed"),
    ("notification", "timeout"),
    HALF_POSTED,
    UNTOLD_END,
];

/// What a fridge has: number, name and price.
pub(super) const SHELF: [(&str, &str, &str); 4] =
    [("1", "Soupe", "4.50"), ("2", "Eau", "1.60"), ("3", "Pain", "0.95"), ("4", "Tarte", "12.40")];
