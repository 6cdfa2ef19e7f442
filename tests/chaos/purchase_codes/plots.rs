//! The lives that a loan can have.

/// What becomes of a loan, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// Its code is scanned.
    Scanned,
    /// Two tills scan its code at once.
    ScannedTwice,
    /// Its code is scanned around the end of the time to scan.
    ScannedLate,
    /// Nobody scans its code.
    Forgotten,
    /// It is confirmed under two keys at once.
    AskedTwice,
    /// Its client types something else.
    WrongPassword,
    /// Its frontend is wrong about the amount.
    WrongAmount,
}

impl Plot {
    /// Whether a code is issued for the loan, sooner or later.
    pub(super) const fn has_a_code(self) -> bool {
        !matches!(self, Self::WrongPassword | Self::WrongAmount)
    }
}

/// What happens more often stands here more often.
pub(super) const PLOTS: [Plot; 12] = [
    Plot::Scanned,
    Plot::Scanned,
    Plot::Scanned,
    Plot::ScannedTwice,
    Plot::ScannedTwice,
    Plot::ScannedLate,
    Plot::Forgotten,
    Plot::Forgotten,
    Plot::AskedTwice,
    Plot::AskedTwice,
    Plot::WrongPassword,
    Plot::WrongAmount,
];

/// What can go wrong on the way to another system; it does what it is asked, or does not.
pub(super) const TROUBLES: [((&str, &str), &str); 7] = [
    (("ciam", "validate"), "execute_then_timeout"),
    (("ciam", "validate"), "error"),
    (("mambu", "disburse"), "execute_then_timeout"),
    (("mambu", "disburse"), "execute_then_error"),
    (("mambu", "disburse"), "timeout"),
    (("mambu", "adjust"), "execute_then_timeout"),
    (("mambu", "adjust"), "execute_then_error"),
];
