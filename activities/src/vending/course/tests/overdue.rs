//! Sales of which nobody can say for too long how they ended.

use chrono::TimeDelta;
use proptest::{option, prelude::*, sample::select};

use super::{whatever_was_heard::states, *};

/// What the clock shows so many seconds after everything that the journal has.
fn clock(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn unlocking() -> SaleState {
    after(&[Fact::RequestSent, begun(), Fact::UnlockSent])
}

fn closed() -> SaleState {
    closed_at(0)
}

fn closed_at(seconds: i64) -> SaleState {
    transition(&open(), &Fact::DoorClosed, clock(seconds))
}

#[test]
fn were_closed_or_their_unlocking_was_not_answered_whatever_the_machine_says() {
    for state in [unlocking(), closed()] {
        for answer in [None, Some(refused(BUSY)), Some(refused(-4)), Some(available())] {
            let (mut course, at) = course();
            course.know(&state, &policy(), at(0), clock(0));
            course.asked(at(889));
            if let Some(answer) = &answer {
                course.hear(answer, at(891));
            }
            assert_eq!(course.next(&state, &policy(), at(899)), Step::Wait(at(900)), "{answer:?}");
            assert_eq!(course.next(&state, &policy(), at(900)), Step::Note(Fact::Overdue), "{answer:?}");
            let given_up = transition(&state, &Fact::Overdue, clock(900));
            course.know(&given_up, &policy(), at(900), clock(900));
            assert_eq!(course.next(&given_up, &policy(), at(900)), Step::End, "{answer:?}");
        }
    }
}

#[test]
fn have_vanished_if_their_machine_was_free_before() {
    let (mut course, at) = course();
    course.know(&closed(), &policy(), at(0), clock(0));
    course.asked(at(880));
    course.hear(&available(), at(881));
    for now in [891, 900] {
        assert_eq!(course.next(&closed(), &policy(), at(now)), Step::Note(Fact::Vanished));
    }
}

#[test]
fn have_a_door_that_was_asked_to_open_and_is_not_known_to_be_open() {
    let begun = after(&[Fact::RequestSent, begun()]);
    for state in [SaleState::new(), after(&[Fact::RequestSent]), begun, open()] {
        let (mut course, at) = course();
        course.know(&state, &policy(), at(0), clock(86_400));
        assert_eq!(course.overdue, None, "{state:?}");
        assert_ne!(course.next(&state, &policy(), at(86_400)), Step::Note(Fact::Overdue), "{state:?}");
    }
}

#[test]
fn are_counted_from_what_the_journal_has_whoever_holds_them() {
    for state in [unlocking(), closed()] {
        for (passed, left) in [(-100, 1000), (0, 900), (600, 300), (880, 20)] {
            let (mut course, at) = course();
            course.know(&state, &policy(), at(0), clock(passed));
            course.asked(at(left - 11));
            assert_eq!(course.next(&state, &policy(), at(left - 1)), Step::Wait(at(left)), "{passed}");
            assert_eq!(course.next(&state, &policy(), at(left)), Step::Note(Fact::Overdue), "{passed}");
        }
        for passed in [900, 86_400] {
            let (mut course, at) = course();
            course.know(&state, &policy(), at(0), clock(passed));
            assert_eq!(course.next(&state, &policy(), at(0)), Step::Ask, "nobody was there: {passed}");
            course.asked(at(1));
            assert_eq!(course.next(&state, &policy(), at(2)), Step::Wait(at(11)), "{passed}");
            assert_eq!(course.next(&state, &policy(), at(11)), Step::Note(Fact::Overdue), "{passed}");
        }
    }
}

#[test]
fn are_counted_anew_when_the_door_is_closed() {
    let (mut course, at) = course();
    course.know(&unlocking(), &policy(), at(0), clock(0));
    let closed = closed_at(890);
    course.know(&closed, &policy(), at(890), clock(890));
    course.asked(at(890));
    assert_eq!(course.next(&closed, &policy(), at(900)), Step::Wait(at(950)));
    course.asked(at(1779));
    assert_eq!(course.next(&closed, &policy(), at(1789)), Step::Wait(at(1790)));
    assert_eq!(course.next(&closed, &policy(), at(1790)), Step::Note(Fact::Overdue));
}

#[test]
fn are_known_without_a_websocket() {
    let completed = Fact::Completed { products: Vec::new(), total: None };
    let end = |fact: &Fact| transition(&open(), fact, clock(0));
    let (unanswered, overdue) = (Some(Fact::Unanswered), Some(Fact::Overdue));
    for (state, before, then) in [
        (SaleState::new(), unanswered.clone(), unanswered),
        (after(&[Fact::RequestSent]), None, None),
        (after(&[Fact::RequestSent, begun()]), None, None),
        (unlocking(), None, overdue.clone()),
        (open(), None, None),
        (closed(), None, overdue),
        (end(&completed), None, None),
        (end(&Fact::Vanished), None, None),
        (after(&[Fact::RequestSent, Fact::Unanswered]), None, None),
    ] {
        let told = [0, 899, 900, 86_400].map(|seconds| without_websocket(&state, &policy(), clock(seconds)));
        assert_eq!(told, [before.clone(), before, then.clone(), then], "{state:?}");
    }
}

proptest! {
    /// However the sale stands, and whatever was asked and answered when.
    #[test]
    fn are_not_waited_for(
        state in select(states()),
        passed in -100..2000_i64,
        asked in option::of(0..2000_u64),
        answer in option::of(select(vec![available(), refused(BUSY), refused(-4), taken()])),
        now in 0..2000_u64,
    ) {
        let (mut course, at) = course();
        course.know(&state, &policy(), at(0), clock(passed));
        if let Some(asked) = asked {
            course.asked(at(asked.min(now)));
        }
        if let Some(answer) = answer {
            course.hear(&answer, at(now / 2));
        }
        let (step, now) = (course.next(&state, &policy(), at(now)), at(now));
        match (&step, course.given_up_at(&policy())) {
            (Step::Wait(until), Some(due)) => prop_assert!(now < due && *until <= due),
            (Step::Note(Fact::Overdue), due) => prop_assert!(due.is_some_and(|due| now >= due)),
            _ => {}
        }
        let may_be_overdue = match state.status {
            SaleStatus::Opening => state.unlock_sent_at.is_some(),
            status => status == SaleStatus::Closed,
        };
        prop_assert_eq!(course.overdue.is_some(), may_be_overdue);
    }
}
