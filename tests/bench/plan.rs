use clap::Args;

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
}

impl Plan {
    /// More addresses than all creations together need.
    pub(crate) fn addresses(&self) -> usize {
        let rounds = self.rounds as u64;
        let each = self.creations + self.parallel_creations + u64::from(self.creation_rate * self.seconds);
        usize::try_from(rounds * each + 2000).unwrap_or(usize::MAX)
    }
}
