//! Which parts die when. The whole schedule is drawn from the seed before anything starts.

use std::time::Duration;

use stack::Part;

use crate::dice::Dice;

/// How often each part dies in one round, not counting the times when all of them do.
const QUOTAS: [(Part, usize); 4] = [(Part::Worker, 20), (Part::Api, 10), (Part::Temporal, 5), (Part::Postgres, 5)];
const ALL_AT_ONCE: usize = 2;
/// How often a worker without its guards dies: with what it wanted to tell Temporal, and with an open door.
const OUTAGES: usize = 3;
const CRASHES: usize = 3;
/// Share of the deaths that take the next victim with them.
const COMPANY_PERCENT: u32 = 20;
/// Longer than everything that a crash leaves takes to be taken up again on a loaded machine.
const REST: Duration = Duration::from_mins(5);
/// What is damaged may never come to rest; what is not needs little.
const DAMAGED_REST: Duration = Duration::from_secs(30);

/// Parts that die one after the other and come back together.
pub(crate) struct Strike {
    /// How long everything works before.
    pub(crate) calm: Duration,
    /// Who dies, in this order.
    pub(crate) parts: Vec<Part>,
    /// Between two deaths.
    pub(crate) gap: Duration,
    /// How long they stay away.
    pub(crate) down: Duration,
    /// Whether something is at stake: it is laid before the first one dies, and at risk before the next one does.
    pub(crate) has_stakes: bool,
}

pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How long everything may take to come to rest afterwards.
    pub(crate) rest: Duration,
    pub(crate) strikes: Vec<Strike>,
}

impl Plan {
    /// Every part again and again, alone, in company, and all at once.
    pub(crate) fn usual(seed: u64, rounds: u64) -> Self {
        let mut dice = Dice::new(seed, 0);
        let mut victims: Vec<_> = QUOTAS.iter().flat_map(|(part, times)| vec![vec![*part]; *times]).collect();
        victims.extend(vec![QUOTAS.map(|(part, _)| part).to_vec(); ALL_AT_ONCE]);
        let strikes = (0..rounds).flat_map(|_| {
            dice.shuffle(&mut victims);
            in_company(&victims, &mut dice).into_iter().map(|parts| Strike::of(parts, &mut dice)).collect::<Vec<_>>()
        });
        Self { seed, rest: REST, strikes: strikes.collect() }
    }

    /// The worker dies when it has most to lose, which is no matter of chance: Temporal is away and it has in hand what it
    /// wants to tell, or it holds the websocket of an open door.
    pub(crate) fn at_the_worst_moments(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 0);
        let outages = vec![vec![Part::Temporal, Part::Worker]; OUTAGES];
        let victims = outages.into_iter().chain(vec![vec![Part::Worker]; CRASHES]);
        let strike = |parts| Strike { parts, has_stakes: true, ..Strike::of(Vec::new(), &mut dice) };
        Self { seed, rest: DAMAGED_REST, strikes: victims.map(strike).collect() }
    }

    pub(crate) fn kills(&self) -> usize {
        self.strikes.iter().map(|strike| strike.parts.len()).sum()
    }

    pub(crate) fn kills_of(&self, part: Part) -> usize {
        self.strikes.iter().flat_map(|strike| &strike.parts).filter(|victim| **victim == part).count()
    }
}

impl Strike {
    /// The pauses are part of the load: long enough for work to begin, short enough to meet it half done.
    fn of(mut parts: Vec<Part>, dice: &mut Dice) -> Self {
        dice.shuffle(&mut parts[..]);
        let (calm, gap) = (dice.millis(300..1600), dice.millis(0..150));
        Self { calm, parts, gap, down: dice.millis(0..700), has_stakes: false }
    }
}

fn in_company(victims: &[Vec<Part>], dice: &mut Dice) -> Vec<Vec<Part>> {
    let mut strikes: Vec<Vec<Part>> = Vec::new();
    for victim in victims {
        let companion = strikes.last_mut().filter(|last| last.len() == 1 && victim.len() == 1 && **last != *victim);
        match companion {
            Some(last) if dice.chance(COMPANY_PERCENT) => last.extend(victim),
            _ => strikes.push(victim.clone()),
        }
    }
    strikes
}
