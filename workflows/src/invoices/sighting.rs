use chrono::{DateTime, Utc};

use super::OutputState;

/// What all reports of one output say together. Reports come in any order and any number: merging them is commutative,
/// associative and idempotent, so that only which reports came matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// State in the newest report.
    pub reported: OutputState,
    /// Version of the newest report that said `final`.
    pub final_version: Option<i64>,
    /// Version of the newest report that said its block, or the whole transaction, is gone.
    pub lost_version: Option<i64>,
    /// Height of its block in the newest report.
    pub block_height: Option<i64>,
    /// Hash of its block in the newest report.
    pub block_hash: Option<String>,
    /// Highest block that any report knew.
    pub tip_height: i64,
    /// Earliest time that any report gives.
    pub first_seen_at: DateTime<Utc>,
    /// Version of the newest report.
    pub version: i64,
}

impl Sighting {
    /// Where the output is on its chain. What was final stays so until its block or the whole transaction is gone.
    pub fn state(&self) -> OutputState {
        match self.reported {
            OutputState::Seen | OutputState::Included if self.final_version > self.lost_version => OutputState::Final,
            reported => reported,
        }
    }

    /// Both together. Of two reports with one version that differ, the same one always wins.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let newest = if self.rank() >= other.rank() { self } else { other };
        Self {
            final_version: self.final_version.max(other.final_version),
            lost_version: self.lost_version.max(other.lost_version),
            tip_height: self.tip_height.max(other.tip_height),
            first_seen_at: self.first_seen_at.min(other.first_seen_at),
            ..newest.clone()
        }
    }

    fn rank(&self) -> (i64, u8, Option<i64>, Option<&str>) {
        (self.version, self.reported as u8, self.block_height, self.block_hash.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::invoices::{
        Output, Sums,
        samples::{start, terms, terms_accepted},
    };

    const STATES: [OutputState; 5] =
        [OutputState::Seen, OutputState::Included, OutputState::Final, OutputState::Orphaned, OutputState::Replaced];
    const OUTPUTS: u8 = 3;

    /// Which output a report is about, and what it says.
    type Report = (u8, Sighting);

    fn report(version: i64, reported: OutputState) -> Sighting {
        let is_lost = matches!(reported, OutputState::Orphaned | OutputState::Replaced);
        Sighting {
            reported,
            final_version: (reported == OutputState::Final).then_some(version),
            lost_version: is_lost.then_some(version),
            block_height: None,
            block_hash: None,
            tip_height: 0,
            first_seen_at: start(),
            version,
        }
    }

    /// The state that reports with these versions say together.
    fn state(reports: &[(i64, OutputState)]) -> Option<OutputState> {
        let merged =
            reports.iter().map(|(version, state)| report(*version, *state)).reduce(|one, other| one.merge(&other));
        merged.map(|sighting| sighting.state())
    }

    #[test]
    fn what_was_final_stays_so_until_its_block_is_gone() {
        use OutputState::*;
        for (reports, expected) in [
            (vec![(1, Seen), (2, Included)], Included),
            (vec![(1, Final), (2, Included)], Final),
            (vec![(1, Final), (2, Seen)], Final),
            (vec![(3, Included), (1, Final)], Final),
            (vec![(1, Final), (2, Orphaned)], Orphaned),
            (vec![(2, Replaced), (1, Final)], Replaced),
            (vec![(1, Final), (2, Orphaned), (3, Included)], Included),
            (vec![(3, Included), (2, Replaced), (1, Final)], Included),
            (vec![(1, Orphaned), (2, Final), (3, Included)], Final),
            (vec![(1, Final), (2, Orphaned), (3, Included), (4, Final)], Final),
        ] {
            assert_eq!(state(&reports), Some(expected), "{reports:?}");
        }
    }

    #[test]
    fn an_old_report_still_tells_how_high_the_chain_is_and_when_it_began() {
        let newest = Sighting { block_height: Some(7), tip_height: 8, ..report(2, OutputState::Included) };
        let earlier = start() - TimeDelta::hours(1);
        let old = Sighting { tip_height: 20, first_seen_at: earlier, ..report(1, OutputState::Seen) };
        let expected = Sighting { tip_height: 20, first_seen_at: earlier, ..newest.clone() };
        assert_eq!(newest.merge(&old), expected);
    }

    fn any_sighting() -> impl Strategy<Value = Sighting> {
        let hash = prop::option::of(prop::sample::select(vec!["a".to_owned(), "b".to_owned()]));
        let block = (prop::option::of(1..8_i64), hash, 1..12_i64);
        (1..6_i64, prop::sample::select(STATES.to_vec()), block, 0..240_i64).prop_map(
            |(version, state, (block_height, block_hash, tip_height), minutes)| Sighting {
                block_height,
                block_hash,
                tip_height,
                first_seen_at: start() + TimeDelta::minutes(minutes),
                ..report(version, state)
            },
        )
    }

    /// Reports of several outputs, and the same ones as they may come: in any order, some of them again.
    fn deliveries() -> impl Strategy<Value = (Vec<Report>, Vec<Report>)> {
        prop::collection::vec(((0..OUTPUTS, any_sighting()), 1..4_usize), 1..16).prop_flat_map(|reports| {
            let delivered: Vec<_> = reports.iter().flat_map(|(report, times)| vec![report.clone(); *times]).collect();
            let once: Vec<_> = reports.into_iter().map(|(report, _)| report).collect();
            (Just(once), Just(delivered).prop_shuffle())
        })
    }

    fn merged(reports: &[Report]) -> BTreeMap<u8, Sighting> {
        let mut known = BTreeMap::new();
        for (output, report) in reports {
            learn(&mut known, *output, report);
        }
        known
    }

    fn learn(known: &mut BTreeMap<u8, Sighting>, output: u8, report: &Sighting) {
        let now = known.get(&output).map_or_else(|| report.clone(), |sighting| sighting.merge(report));
        known.insert(output, now);
    }

    /// The last output is of another asset.
    fn outputs(known: &BTreeMap<u8, Sighting>) -> Vec<Output> {
        let output = |(output, sighting): (&u8, &Sighting)| Output {
            transaction_id: Uuid::from_u128(u128::from(*output)),
            amount: (10_u64 << *output).into(),
            state: sighting.state(),
            block_height: sighting.block_height,
            tip_height: sighting.tip_height,
            first_seen_at: sighting.first_seen_at,
            right_asset: output + 1 < OUTPUTS,
            credited: false,
        };
        known.iter().map(output).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        /// Often, late or in the wrong order: when all reports are there, they say what they say in order.
        #[test]
        fn only_which_reports_came_matters((once, delivered) in deliveries(), delayed in any::<prop::sample::Index>()) {
            let mut in_order = once;
            in_order.sort_by_key(|(_, report)| report.version);
            let expected = merged(&in_order);
            prop_assert_eq!(&merged(&delivered), &expected);

            let (first, rest) = delivered.split_at(delayed.index(delivered.len()));
            let mut known = merged(rest);
            for (output, earlier) in merged(first) {
                learn(&mut known, output, &earlier);
            }
            prop_assert_eq!(&known, &expected);
            for terms in [terms(), terms_accepted(start() + TimeDelta::hours(2))] {
                prop_assert_eq!(Sums::of(&outputs(&known), &terms), Sums::of(&outputs(&expected), &terms));
            }
        }

        #[test]
        fn merging_is_commutative_associative_and_idempotent(
            one in any_sighting(), other in any_sighting(), third in any_sighting(),
        ) {
            prop_assert_eq!(one.merge(&other), other.merge(&one));
            prop_assert_eq!(one.merge(&other).merge(&third), one.merge(&other.merge(&third)));
            prop_assert_eq!(one.merge(&one), one);
        }

        /// An output is final when a report called it so after the last one of its loss, and only then.
        #[test]
        fn nothing_is_final_on_the_word_of_before_a_loss(reports in prop::collection::vec(any_sighting(), 1..8)) {
            let merged = reports.iter().cloned().reduce(|one, other| one.merge(&other)).unwrap();
            let last = |states: &[OutputState]| {
                reports.iter().filter(|report| states.contains(&report.reported)).map(|report| report.version).max()
            };
            let (called_final, lost) =
                (last(&[OutputState::Final]), last(&[OutputState::Orphaned, OutputState::Replaced]));
            prop_assert_eq!(merged.state() == OutputState::Final, called_final > lost);
            prop_assert_eq!(Some(merged.version), last(&STATES));
        }
    }
}
