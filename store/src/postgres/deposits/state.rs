use workflows::invoices::OutputState;

/// The word for a state in the database and on the wire.
pub(in crate::postgres) const fn word(state: OutputState) -> &'static str {
    match state {
        OutputState::Seen => "seen",
        OutputState::Included => "included",
        OutputState::Final => "final",
        OutputState::Orphaned => "orphaned",
        OutputState::Replaced => "replaced",
    }
}

pub(in crate::postgres) fn state_of(word: &str) -> Option<OutputState> {
    [OutputState::Seen, OutputState::Included, OutputState::Final, OutputState::Orphaned, OutputState::Replaced]
        .into_iter()
        .find(|state| self::word(*state) == word)
}
