use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    domain::BaseUnits,
    invoices::{EDGES, Output, OutputState, confirmed},
};

const HOUR: TimeDelta = TimeDelta::hours(1);
const CONFIRMATIONS: u32 = 3;
const DUE: u64 = 100;

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// Expires after one hour; a partial payment has one hour more, an unconfirmed one two.
fn terms() -> InvoiceTerms {
    let expires_at = start() + HOUR;
    InvoiceTerms {
        due: DUE.into(),
        tolerance: BaseUnits::zero(),
        expires_at,
        confirm_by: expires_at + HOUR * 2,
        complete_by: expires_at + HOUR,
        monitoring: Duration::from_hours(24),
        confirmations: CONFIRMATIONS,
    }
}

fn sums(seen: u64, confirmed: u64) -> Sums {
    Sums { seen: seen.into(), confirmed: confirmed.into(), ..Sums::default() }
}

fn state(status: InvoiceStatus) -> State {
    let ended_at = (!status.is_open()).then(start);
    State { status, ended_at, ..State::new() }
}

fn look(from: InvoiceStatus, sums: &Sums, now: DateTime<Utc>) -> (State, Vec<Effect>) {
    transition(&state(from), &terms(), sums, Fact::Look, now)
}

mod statuses {
    use super::*;
    use InvoiceStatus::*;

    #[test]
    fn follow_the_money_before_the_deadline() {
        for (seen, confirmed, expected) in [
            (0, 0, WaitingForDeposit),
            (99, 0, WaitingForDeposit),
            (100, 0, PaymentConfirmation),
            (100, 99, PaymentConfirmation),
            (99, 1, PartiallyPaid),
            (100, 100, PaymentAccepted),
            (300, 200, PaymentAccepted),
        ] {
            let (next, _) = look(WaitingForDeposit, &sums(seen, confirmed), start());
            assert_eq!(next.status, expected, "{seen} seen, {confirmed} confirmed");
        }
    }

    #[test]
    fn expire_exactly_at_the_deadline() {
        let terms = terms();
        let just_before = terms.expires_at - TimeDelta::milliseconds(1);
        assert_eq!(look(WaitingForDeposit, &sums(0, 0), just_before).0.status, WaitingForDeposit);
        assert_eq!(look(WaitingForDeposit, &sums(0, 0), terms.expires_at).0.status, Expired);
        assert_eq!(look(PartiallyPaid, &sums(50, 50), terms.complete_by - HOUR).0.status, PartiallyPaid);
        assert_eq!(look(PartiallyPaid, &sums(50, 50), terms.complete_by).0.status, Expired);
        assert_eq!(look(PaymentConfirmation, &sums(100, 0), terms.confirm_by - HOUR).0.status, PaymentConfirmation);
        assert_eq!(look(PaymentConfirmation, &sums(100, 0), terms.confirm_by).0.status, Expired);
    }

    #[test]
    fn come_back_from_expired_when_money_was_in_time() {
        let after = terms().expires_at + TimeDelta::minutes(10);
        assert_eq!(look(Expired, &sums(100, 100), after).0.status, PaymentAccepted);
        assert_eq!(look(Expired, &sums(100, 0), after).0.status, PaymentConfirmation);
        assert_eq!(look(Expired, &sums(50, 50), after).0.status, PartiallyPaid);
        assert_eq!(look(Expired, &sums(0, 0), after).0.status, Expired);
        assert_eq!(look(Expired, &sums(100, 100), terms().confirm_by + HOUR * 9).0.status, PaymentAccepted);
    }

    #[test]
    fn go_back_when_the_chain_takes_money_away() {
        assert_eq!(look(PaymentAccepted, &sums(0, 0), start()).0.status, WaitingForDeposit);
        assert_eq!(look(PaymentAccepted, &sums(100, 0), start()).0.status, PaymentConfirmation);
        let (back, effects) = look(PaymentAccepted, &sums(0, 0), terms().expires_at + HOUR);
        assert_eq!(back.status, WaitingForDeposit, "there is no edge from accepted to expired");
        assert_eq!(effects, [Effect::Wake(terms().expires_at)], "it expires at the next look");
    }

    #[test]
    fn change_by_cancellation_only_where_it_is_allowed() {
        let cancel = |status, fact, sums: &Sums| transition(&state(status), &terms(), sums, fact, start()).0.status;
        let nothing = sums(0, 0);
        assert_eq!(cancel(WaitingForDeposit, Fact::CancelByMerchant, &nothing), Cancelled);
        assert_eq!(cancel(WaitingForDeposit, Fact::CancelByMerchant, &sums(1, 0)), WaitingForDeposit);
        assert_eq!(cancel(PaymentConfirmation, Fact::CancelByMerchant, &sums(100, 0)), PaymentConfirmation);
        assert_eq!(cancel(PaymentConfirmation, Fact::CancelByOperator, &sums(100, 0)), Cancelled);
        assert_eq!(cancel(PaymentAccepted, Fact::CancelByOperator, &sums(100, 100)), PaymentAccepted);
        assert_eq!(cancel(Expired, Fact::CancelByMerchant, &nothing), Expired);
        assert_eq!(cancel(Finished, Fact::CancelByOperator, &sums(100, 100)), Finished);
    }

    #[test]
    fn finish_only_by_credit() {
        let credited = |status| transition(&state(status), &terms(), &sums(100, 100), Fact::Credited, start()).0.status;
        assert_eq!(credited(PaymentAccepted), Finished);
        assert_eq!(credited(PaymentConfirmation), PaymentConfirmation);
        assert_eq!(credited(Expired), Expired);
    }
}

mod exceptions {
    use super::*;
    use InvoiceStatus::*;

    #[test]
    fn say_what_is_unusual() {
        let late = Sums { late: 5.into(), ..Sums::default() };
        let wrong = Sums { wrong_asset: true, ..Sums::default() };
        for (status, sums, expected) in [
            (WaitingForDeposit, sums(0, 0), InvoiceException::None),
            (WaitingForDeposit, sums(50, 0), InvoiceException::PaidPartial),
            (PartiallyPaid, sums(50, 50), InvoiceException::PaidPartial),
            (Finished, sums(100, 100), InvoiceException::None),
            (Finished, sums(101, 101), InvoiceException::None),
            (Finished, sums(102, 102), InvoiceException::PaidOver),
            (Finished, sums(60, 60), InvoiceException::Reorged),
            (Expired, late.clone(), InvoiceException::PaidLate),
            (Expired, sums(50, 50), InvoiceException::PaidPartial),
            (Cancelled, sums(1, 0), InvoiceException::PaidAfterCancel),
            (Cancelled, late, InvoiceException::PaidAfterCancel),
            (WaitingForDeposit, wrong, InvoiceException::WrongAsset),
        ] {
            assert_eq!(exception(status, &terms(), &sums), expected, "{status} with {sums:?}");
        }
    }
}

fn any_status() -> impl Strategy<Value = InvoiceStatus> {
    prop::sample::select(InvoiceStatus::ALL.to_vec())
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop::sample::select(vec![
        Fact::Look,
        Fact::CancelByMerchant,
        Fact::CancelByOperator,
        Fact::Credited,
        Fact::LookAfterClose,
    ])
}

fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..(40 * 3600_i64)).prop_map(|seconds| start() + TimeDelta::seconds(seconds))
}

fn any_sums() -> impl Strategy<Value = Sums> {
    (0..250_u64, 0..250_u64, 0..3_u64, any::<bool>()).prop_map(|(one, other, late, wrong_asset)| Sums {
        seen: one.max(other).into(),
        confirmed: one.min(other).into(),
        late: late.into(),
        wrong_asset,
    })
}

fn any_output() -> impl Strategy<Value = Output> {
    let states = vec![
        OutputState::Seen,
        OutputState::Included,
        OutputState::Final,
        OutputState::Orphaned,
        OutputState::Replaced,
    ];
    (1..120_u64, prop::sample::select(states), 1..10_i64, any_time(), any::<bool>()).prop_map(
        |(amount, state, depth, first_seen_at, right_asset)| Output {
            transaction_id: Uuid::nil(),
            amount: amount.into(),
            state,
            block_height: (state != OutputState::Seen).then_some(10 - depth),
            tip_height: 10,
            first_seen_at,
            right_asset,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Every step goes along an edge of the table, whatever happens when.
    #[test]
    fn only_known_edges_are_taken(
        steps in prop::collection::vec((any_fact(), any_sums(), 0..7200_i64), 1..20),
    ) {
        let mut state = State::new();
        let mut now = start();
        for (fact, sums, seconds) in steps {
            now += TimeDelta::seconds(seconds);
            let (next, _) = transition(&state, &terms(), &sums, fact, now);
            let edge = (state.status, next.status);
            prop_assert!(edge.0 == edge.1 || EDGES.contains(&edge), "{edge:?} by {fact:?}");
            state = next;
        }
    }

    /// Looking twice at the same money at the same time is looking once, but for money that was taken back.
    #[test]
    fn a_second_look_settles(status in any_status(), sums in any_sums(), now in any_time()) {
        let (once, _) = look(status, &sums, now);
        let (twice, _) = transition(&once, &terms(), &sums, Fact::Look, now);
        let (thrice, effects) = transition(&twice, &terms(), &sums, Fact::Look, now);
        prop_assert_eq!(&twice, &thrice);
        if status != InvoiceStatus::PaymentAccepted {
            prop_assert_eq!(once, twice);
        }
        let wakes_later = effects.iter().all(|effect| !matches!(effect, Effect::Wake(at) if *at <= now));
        prop_assert!(wakes_later, "a settled invoice would look again at once: {:?}", effects);
    }

    /// No invoice expires before its deadline, and none that is covered expires before it had time to be confirmed.
    #[test]
    fn nothing_expires_early(status in any_status(), sums in any_sums(), now in any_time()) {
        let terms = terms();
        let (next, _) = look(status, &sums, now);
        if status != InvoiceStatus::Expired && next.status == InvoiceStatus::Expired {
            prop_assert!(now >= terms.expires_at);
            prop_assert!(!terms.covers(&sums.seen) || now >= terms.confirm_by);
            prop_assert!(!terms.covers(&sums.confirmed));
        }
    }

    /// What is confirmed in time is credited, whatever the clock says.
    #[test]
    fn confirmed_money_is_never_dropped(status in any_status(), sums in any_sums(), now in any_time()) {
        let (next, effects) = look(status, &sums, now);
        if terms().covers(&sums.confirmed) && !status.is_final() {
            prop_assert_eq!(next.status, InvoiceStatus::PaymentAccepted);
            prop_assert_eq!(effects, vec![Effect::Credit]);
        }
    }

    /// An open invoice always has something to wait for; an ended one gives its address back once.
    #[test]
    fn there_is_always_one_next_thing(status in any_status(), fact in any_fact(), sums in any_sums(), now in any_time()) {
        let (next, effects) = transition(&state(status), &terms(), &sums, fact, now);
        prop_assert_eq!(next.ended_at.is_none(), next.status.is_open());
        if fact == Fact::LookAfterClose {
            prop_assert!(effects.is_empty());
        } else {
            prop_assert_eq!(effects.len(), 1);
            prop_assert_eq!(next.released, effects == [Effect::Release]);
        }
        let (_, after_release) = transition(&State { released: true, ..next }, &terms(), &sums, Fact::Look, now);
        prop_assert!(after_release.is_empty());
    }

    /// The order in which outputs are read changes nothing, and nothing is counted that is not there.
    #[test]
    fn sums_do_not_depend_on_order(outputs in prop::collection::vec(any_output(), 0..12), seed in any::<u64>()) {
        let terms = terms();
        let sums = Sums::of(&outputs, &terms);
        let mut shuffled = outputs.clone();
        let pivot = usize::try_from(seed).unwrap_or_default() % shuffled.len().max(1);
        shuffled.rotate_left(pivot);
        shuffled.reverse();
        prop_assert_eq!(&sums, &Sums::of(&shuffled, &terms));
        prop_assert!(sums.confirmed <= sums.seen);
        let there: BaseUnits = outputs.iter().filter(|it| it.counts() && it.right_asset).map(|it| &it.amount).sum();
        prop_assert_eq!(&sums.seen + &sums.late, there);
        let credited: BaseUnits = confirmed(&outputs, &terms).iter().map(|it| &it.amount).sum();
        prop_assert_eq!(credited, sums.confirmed);
    }
}
