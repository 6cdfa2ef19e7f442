/// One at a time, in the order of arrival.
#[derive(Debug)]
pub(super) struct Turns {
    drawn: u64,
    called: u64,
}

impl Turns {
    /// Whoever makes this has the first turn.
    pub(super) const fn with_mine() -> Self {
        Self { drawn: 1, called: 0 }
    }

    /// A turn after all that were drawn before.
    pub(super) const fn draw(&mut self) -> u64 {
        let turn = self.drawn;
        self.drawn += 1;
        turn
    }

    /// Whether it is this turn now.
    pub(super) const fn is(&self, turn: u64) -> bool {
        self.called == turn
    }

    /// Whether anybody drew a turn after the maker's.
    pub(super) const fn is_waited_for(&self) -> bool {
        self.drawn > 1
    }

    /// Ends the turn: the next one begins.
    pub(super) const fn pass(&mut self) {
        self.called += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_the_order_in_which_they_were_drawn() {
        let mut turns = Turns::with_mine();
        let (first, second) = (turns.draw(), turns.draw());
        assert!(!turns.is(first), "the maker has not passed");
        turns.pass();
        assert!(turns.is(first) && !turns.is(second));
        let third = turns.draw();
        turns.pass();
        assert!(turns.is(second) && !turns.is(third));
    }
}
