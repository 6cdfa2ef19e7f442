use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    domain::BaseUnits,
    invoices::{
        EDGES, Output, OutputState, confirmed,
        samples::{DUE, HOUR, policy, start, terms, terms_accepted},
    },
};

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

    #[test]
    fn follow_the_money_again_when_late_money_is_accepted() {
        let at = terms().confirm_by + HOUR * 5;
        let accept = |from, sums: &Sums| accept_late(&state(from), sums, at);
        for (seen, confirmed, expected, effect) in [
            (100, 100, PaymentAccepted, Effect::Credit),
            (100, 0, PaymentConfirmation, Effect::Wake(at + HOUR * 2)),
            (99, 50, PartiallyPaid, Effect::Wake(at + HOUR)),
            (99, 0, Expired, Effect::Wake(at + terms().monitoring)),
        ] {
            let (next, effects) = accept(Expired, &sums(seen, confirmed));
            assert_eq!((next.status, effects), (expected, vec![effect]), "{seen} seen, {confirmed} confirmed");
        }
        for other in InvoiceStatus::ALL.into_iter().filter(|status| *status != Expired) {
            assert_eq!(accept(other, &sums(100, 100)).0.status, other);
        }
    }

    #[test]
    fn are_left_to_whoever_accepts_once_the_address_was_given_back() {
        let over = State { released: true, ..state(Expired) };
        let (accepted, effects) = accept_late(&over, &sums(100, 100), terms().confirm_by);
        assert_eq!((accepted.status, effects), (PaymentAccepted, vec![]));
        let (finished, effects) = transition(&accepted, &terms(), &sums(100, 100), Fact::Credited, terms().confirm_by);
        assert_eq!((finished.status, finished.released, effects), (Finished, true, vec![]));
    }
}

mod late_money {
    use super::*;
    use InvoiceStatus::*;

    #[test]
    fn may_be_accepted_once_the_invoice_is_over() {
        let late = Sums { late: 5.into(), ..Sums::default() };
        for (status, sums, uncredited, expected) in [
            (Expired, late.clone(), false, Ok(())),
            (Expired, sums(0, 0), false, Err(LateRefusal::NothingLate)),
            (Expired, sums(50, 50), true, Err(LateRefusal::NothingLate)),
            (Finished, sums(200, 200), true, Ok(())),
            (Finished, late.clone(), false, Err(LateRefusal::NotConfirmed)),
            (Finished, sums(100, 100), false, Err(LateRefusal::NothingLate)),
            (Cancelled, late.clone(), true, Err(LateRefusal::Cancelled)),
            (WaitingForDeposit, sums(0, 0), false, Err(LateRefusal::NotOver)),
            (PaymentConfirmation, late.clone(), true, Err(LateRefusal::NotOver)),
            (PartiallyPaid, late.clone(), true, Err(LateRefusal::NotOver)),
            (PaymentAccepted, late, true, Err(LateRefusal::NotOver)),
        ] {
            assert_eq!(may_accept_late(&state(status), &sums, uncredited), expected, "{status} with {sums:?}");
        }
    }

    #[test]
    fn may_be_what_was_confirmed_when_nobody_counted_any_more() {
        let over = State { released: true, ..state(Expired) };
        assert_eq!(may_accept_late(&over, &sums(100, 100), true), Ok(()));
        assert_eq!(may_accept_late(&over, &sums(100, 0), false), Err(LateRefusal::NothingLate));
        assert_eq!(exception(Expired, &terms(), &sums(100, 100)), InvoiceException::PaidLate);
    }

    #[test]
    fn is_no_longer_late_when_it_was_accepted() {
        let at = terms().expires_at + HOUR;
        let outputs = [output(DUE, at - HOUR)];
        assert_eq!(exception(Expired, &terms(), &Sums::of(&outputs, &terms())), InvoiceException::PaidLate);
        let accepted = terms_accepted(at);
        assert_eq!(exception(Finished, &accepted, &Sums::of(&outputs, &accepted)), InvoiceException::None);
        let and_more = [output(DUE, at - HOUR), output(1, accepted.complete_by)];
        assert_eq!(exception(Finished, &accepted, &Sums::of(&and_more, &accepted)), InvoiceException::PaidLate);
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

/// Accepts at `at` what came late; `sums` says so already.
fn accept_late(from: &State, sums: &Sums, at: DateTime<Utc>) -> (State, Vec<Effect>) {
    transition(from, &terms_accepted(at), sums, Fact::AcceptLate, at)
}

fn output(amount: u64, first_seen_at: DateTime<Utc>) -> Output {
    Output {
        transaction_id: Uuid::nil(),
        amount: amount.into(),
        state: OutputState::Final,
        block_height: Some(1),
        tip_height: 1,
        first_seen_at,
        right_asset: true,
        credited: false,
    }
}

#[test]
fn credited_money_that_is_gone_needs_a_person_whatever_came_in_its_place() {
    let output = |credited, state, number| Output {
        transaction_id: Uuid::from_u128(number),
        amount: DUE.into(),
        state,
        block_height: Some(1),
        tip_height: 10,
        first_seen_at: start(),
        right_asset: true,
        credited,
    };
    let kept = Sums::of(&[output(true, OutputState::Final, 1)], &terms());
    assert!(!kept.taken_back);
    let gone = [output(true, OutputState::Replaced, 1), output(false, OutputState::Final, 2)];
    let replaced = Sums::of(&gone, &terms());
    assert!(replaced.taken_back && terms().covers(&replaced.confirmed));
    let (next, _) = look(InvoiceStatus::Finished, &replaced, start());
    assert_eq!(next.exception, InvoiceException::Reorged);
    assert_eq!(may_accept_late(&next, &replaced, true), Err(LateRefusal::NotConfirmed), "he was credited once already");
}

fn any_status() -> impl Strategy<Value = InvoiceStatus> {
    prop::sample::select(InvoiceStatus::ALL.to_vec())
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop::sample::select(vec![
        Fact::Look,
        Fact::CancelByMerchant,
        Fact::CancelByOperator,
        Fact::AcceptLate,
        Fact::Credited,
        Fact::LookAfterClose,
    ])
}

fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..(40 * 3600_i64)).prop_map(|seconds| start() + TimeDelta::seconds(seconds))
}

fn any_sums() -> impl Strategy<Value = Sums> {
    let amounts = (0..250_u64, 0..250_u64, 0..3_u64);
    (amounts, any::<bool>(), any::<bool>()).prop_map(|((one, other, late), wrong_asset, taken_back)| Sums {
        seen: one.max(other).into(),
        confirmed: one.min(other).into(),
        late: late.into(),
        wrong_asset,
        taken_back,
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
            state,
            block_height: (state != OutputState::Seen).then_some(10 - depth),
            tip_height: 10,
            right_asset,
            ..output(amount, first_seen_at)
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
        let (mut now, mut terms) = (start(), terms());
        for (fact, sums, seconds) in steps {
            now += TimeDelta::seconds(seconds);
            if fact == Fact::AcceptLate {
                terms = terms.with_late_accepted(Some(now), &policy());
            }
            let (next, _) = transition(&state, &terms, &sums, fact, now);
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

    /// What is accepted is no longer late, what comes afterwards is, and no money is lost on the way.
    #[test]
    fn accepting_moves_what_came_late(outputs in prop::collection::vec(any_output(), 0..12), at in any_time()) {
        let accepted = terms_accepted(at);
        let (before, after) = (Sums::of(&outputs, &terms()), Sums::of(&outputs, &accepted));
        prop_assert_eq!(&before.seen + &before.late, &after.seen + &after.late);
        prop_assert!(before.seen <= after.seen && before.confirmed <= after.confirmed);
        let since = |time: DateTime<Utc>| -> BaseUnits {
            let there = outputs.iter().filter(|it| it.counts() && it.right_asset && it.first_seen_at >= time);
            there.map(|it| &it.amount).sum()
        };
        let cut_off = if after.seen.is_zero() { accepted.in_time_until() } else { accepted.complete_by };
        prop_assert_eq!(after.late, since(cut_off));
    }

    /// Accepting again at a later time takes nothing back.
    #[test]
    fn accepting_again_only_adds(
        outputs in prop::collection::vec(any_output(), 0..12),
        (one, other) in (any_time(), any_time()),
    ) {
        let (first, second) = (terms_accepted(one.min(other)), terms_accepted(one.max(other)));
        let (before, after) = (Sums::of(&outputs, &first), Sums::of(&outputs, &second));
        prop_assert!(before.seen <= after.seen && before.confirmed <= after.confirmed && before.late >= after.late);
    }

    /// An expired invoice that is covered by what was accepted is paid, at once or after its confirmations.
    #[test]
    fn accepted_money_is_never_dropped(sums in any_sums(), hours in 0..39_i32, released in any::<bool>()) {
        let at = terms().expires_at + HOUR * hours;
        let (next, effects) = accept_late(&State { released, ..state(InvoiceStatus::Expired) }, &sums, at);
        let is_covered = terms().covers(&sums.confirmed);
        prop_assert_eq!(next.status == InvoiceStatus::PaymentAccepted, is_covered);
        prop_assert_eq!(effects == [Effect::Credit], is_covered && !released);
        prop_assert_eq!(next.released, released);
    }

    /// Whatever is accepted has the whole window or grace from then on, however long the invoice was over.
    #[test]
    fn nothing_expires_within_its_new_windows(sums in any_sums(), hours in 0..39_i32, minutes in 0..180_i64) {
        let at = terms().expires_at + HOUR * hours;
        let (accepted, _) = accept_late(&state(InvoiceStatus::Expired), &sums, at);
        let now = at + TimeDelta::minutes(minutes);
        let (next, _) = transition(&accepted, &terms_accepted(at), &sums, Fact::Look, now);
        let in_time = match accepted.status {
            InvoiceStatus::PaymentConfirmation => now < at + policy().confirmation_window,
            InvoiceStatus::PartiallyPaid => now < at + policy().partial_grace,
            _ => true,
        };
        prop_assert_eq!(next.status == accepted.status, in_time);
        prop_assert!(in_time || next.status == InvoiceStatus::Expired);
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
