use clap::{Args, ValueEnum};

/// What is compared with the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// Creating and reading invoices.
    Invoices,
    /// Watching invoices, many at once.
    Watchers,
    /// Issuing purchase codes, and downloading their vouchers.
    Purchases,
    /// Opening fridges, and many that are open at once.
    Fridges,
    /// Using gifts, and looking at PINs.
    Gifts,
}

/// How much is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Plan {
    /// Rounds of each comparison; each has a turn of ours and one of the floor.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: usize,
    /// Creations of a turn, one at a time.
    #[arg(long, default_value_t = 60)]
    pub(crate) creations: u64,
    /// Creations of a turn with 16 in flight.
    #[arg(long, default_value_t = 200)]
    pub(crate) parallel_creations: u64,
    /// Reads of a turn.
    #[arg(long, default_value_t = 3000)]
    pub(crate) reads: u64,
    /// Seconds of a turn at a fixed rate.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u32,
    /// Creations a second at the fixed rate.
    #[arg(long, default_value_t = 10)]
    pub(crate) creation_rate: u32,
    /// Reads a second at the fixed rate.
    #[arg(long, default_value_t = 200)]
    pub(crate) read_rate: u32,
    /// Streams of invoices that are open at once, and as many requests that wait for a change.
    #[arg(long, default_value_t = 1000)]
    pub(crate) watchers: usize,
    /// Purchase codes issued in a turn, one at a time.
    #[arg(long, default_value_t = 60)]
    pub(crate) issues: u64,
    /// Purchase codes issued in a turn with 16 in flight.
    #[arg(long, default_value_t = 160)]
    pub(crate) parallel_issues: u64,
    /// Vouchers downloaded, each twice.
    #[arg(long, default_value_t = 60)]
    pub(crate) vouchers: u64,
    /// Fridges opened in a turn, one at a time.
    #[arg(long, default_value_t = 60)]
    pub(crate) opens: u64,
    /// Fridges opened in a turn with 16 in flight.
    #[arg(long, default_value_t = 160)]
    pub(crate) parallel_opens: u64,
    /// Fridges that are all open at once.
    #[arg(long, default_value_t = 200)]
    pub(crate) crowd: usize,
    /// Gifts used in a turn, one at a time.
    #[arg(long, default_value_t = 60)]
    pub(crate) uses: u64,
    /// Gifts used in a turn with 16 in flight.
    #[arg(long, default_value_t = 200)]
    pub(crate) parallel_uses: u64,
    /// Wrong numbers that are timed, and as many wrong PINs.
    #[arg(long, default_value_t = 200)]
    pub(crate) guesses: u64,
    /// Measures this alone.
    #[arg(long)]
    pub(crate) only: Option<Subject>,
}

impl Plan {
    /// More addresses than all creations together need.
    pub(crate) fn addresses(&self) -> usize {
        let rounds = self.rounds as u64;
        let each = self.creations + self.parallel_creations + u64::from(self.creation_rate * self.seconds);
        usize::try_from(rounds * each + 2000).unwrap_or(usize::MAX)
    }

    /// Purchase codes that all turns together issue.
    pub(crate) fn all_issues(&self) -> u64 {
        self.rounds as u64 * (self.issues + self.parallel_issues)
    }

    /// Gifts that all turns together use, of which every contest has its own.
    pub(crate) fn all_uses(&self, of_a_turn: u64) -> u64 {
        self.rounds as u64 * of_a_turn
    }

    /// Whether this is measured at all.
    pub(crate) fn has(&self, subject: Subject) -> bool {
        self.only.is_none_or(|only| only == subject)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        plan: Plan,
    }

    #[test]
    fn one_subject_can_be_measured_alone() {
        let has = |arguments: &[&str]| {
            let plan = Arguments::parse_from(arguments).plan;
            [Subject::Invoices, Subject::Watchers, Subject::Purchases, Subject::Fridges, Subject::Gifts]
                .map(|subject| plan.has(subject))
        };
        assert_eq!(has(&["bench"]), [true; 5]);
        assert_eq!(has(&["bench", "--only", "invoices"]), [true, false, false, false, false]);
        assert_eq!(has(&["bench", "--only", "watchers"]), [false, true, false, false, false]);
        assert_eq!(has(&["bench", "--only", "purchases"]), [false, false, true, false, false]);
        assert_eq!(has(&["bench", "--only", "fridges"]), [false, false, false, true, false]);
        assert_eq!(has(&["bench", "--only", "gifts"]), [false, false, false, false, true]);
    }
}
