//! What becomes of a gift.

/// The life of one gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// It is used.
    Used,
    /// Two tills want it at once, one of them twice.
    Contested,
    /// It is used, and that is undone.
    Undone,
    /// It is used, that is undone, and the rival uses it.
    UsedAgain,
    /// Its use is undone while the rival tries to use it.
    UndoneInARace,
    /// Its till types something else first.
    WrongPin,
    /// The rival may not take it.
    ForOwn,
    /// There is no such gift.
    Missing,
}

/// What happens more often stands here more often.
pub(super) const PLOTS: [Plot; 13] = [
    Plot::Used,
    Plot::Used,
    Plot::Used,
    Plot::Contested,
    Plot::Contested,
    Plot::Contested,
    Plot::Undone,
    Plot::UsedAgain,
    Plot::UsedAgain,
    Plot::UndoneInARace,
    Plot::WrongPin,
    Plot::ForOwn,
    Plot::Missing,
];
