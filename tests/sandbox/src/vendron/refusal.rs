//! Vendron's errors.

/// An error by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) i64);

impl Refusal {
    pub(super) const PARAMETERS: Self = Self(-1);
    pub(super) const TOKEN: Self = Self(-2);
    pub(super) const MACHINE: Self = Self(-3);
    pub(super) const OFFLINE: Self = Self(-4);
    pub(super) const BUSY: Self = Self(-5);
    pub(super) const CANCELLED: Self = Self(-10);
    /// No code of Vendron's: what a fault is refused with.
    pub(super) const FAULT: Self = Self(-99);

    /// The words that are not known are ours.
    pub(super) fn message(self) -> &'static str {
        match self.0 {
            -1 => "Invalid Parameters",
            -2 => "Invalid Public API Token",
            -3 => "Invalid Machine UID",
            -4 => "Machine is not online",
            -5 => "Machine is currently busy",
            -10 => "This VDPS transaction has been canceled & closed",
            -11 => "Subscription expired",
            -99 => "A fault was asked for",
            _ => "Something went wrong",
        }
    }
}
