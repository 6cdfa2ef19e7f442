mod overdue;

use std::time::Duration;

use workflows::fridge_sales::{Product, transition::transition};

use super::*;
use crate::vending::tests::policy;

fn after(facts: &[Fact]) -> SaleState {
    facts.iter().fold(SaleState::new(), |state, fact| transition(&state, fact, DateTime::UNIX_EPOCH))
}

fn begun() -> Fact {
    Fact::Begun { session: Some("S-1".to_owned()) }
}

/// Up to an open door.
fn open() -> SaleState {
    after(&[Fact::RequestSent, begun(), Fact::UnlockSent, Fact::Unlocked])
}

fn frame(name: &str, message: Message) -> Frame {
    Frame { name: name.to_owned(), reference: None, session: None, message }
}

fn acknowledgement(name: &str) -> Frame {
    frame(name, Message::Ack { accepted: true, code: String::new() })
}

fn available() -> Frame {
    frame("check_machine_state_success", Message::MachineAvailable { text: String::new() })
}

fn refused(code: i64) -> Frame {
    frame("check_machine_state_error", Message::MachineError { code: Some(code), text: String::new() })
}

fn taken() -> Frame {
    frame("smart_fridge_product_taken", Message::Taken { products: Vec::new(), text: String::new() })
}

/// A course that begins now, and the time so many seconds later.
fn course() -> (Course, impl Fn(u64) -> Instant) {
    let start = Instant::now();
    (Course::new(start), move |seconds| start + Duration::from_secs(seconds))
}

mod a_clean_sale {
    use super::*;

    #[test]
    fn requests_unlocks_listens_and_ends() {
        let (mut course, at) = course();
        let policy = policy();
        let mut facts = Vec::<Fact>::new();
        let mut next = |course: &Course, fact: Option<Fact>, now| {
            facts.extend(fact);
            course.next(&after(&facts), &policy, now)
        };
        assert_eq!(next(&course, None, at(0)), Step::Commit(Intent::Request));
        course.sent(Intent::Request, at(0));
        assert_eq!(next(&course, Some(Fact::RequestSent), at(0)), Step::Wait(at(5)), "an acknowledgement");
        course.hear(&acknowledgement("smart_fridge_request"), at(1));
        assert_eq!(next(&course, None, at(1)), Step::Wait(at(11)), "the beginning");
        assert_eq!(next(&course, Some(begun()), at(2)), Step::Commit(Intent::Unlock));
        course.sent(Intent::Unlock, at(2));
        assert_eq!(next(&course, Some(Fact::UnlockSent), at(2)), Step::Wait(at(12)), "the unlocking");
        course.hear(&taken(), at(3));
        assert_eq!(next(&course, Some(Fact::Unlocked), at(3)), Step::Wait(at(33)), "a sign of life");
        let closed = next(&course, Some(Fact::DoorClosed), at(4));
        assert_eq!(closed, Step::Wait(at(63)), "the closing itself was not heard by this course");
        assert_eq!(next(&course, Some(Fact::Completed { products: vec![], total: None }), at(5)), Step::End);
    }
}

mod silence {
    use super::*;

    #[test]
    fn before_the_door_was_asked_to_open_is_an_end() {
        let (mut course, at) = course();
        course.sent(Intent::Request, at(0));
        let requested = after(&[Fact::RequestSent]);
        course.hear(&acknowledgement("check_machine_state"), at(1));
        assert_eq!(course.next(&requested, &policy(), at(5)), Step::Note(Fact::Unanswered));
        course.hear(&acknowledgement("smart_fridge_request"), at(4));
        assert_eq!(course.next(&requested, &policy(), at(13)), Step::Wait(at(14)));
        assert_eq!(course.next(&requested, &policy(), at(14)), Step::Note(Fact::Unanswered));
    }

    #[test]
    fn about_a_session_is_an_end_also_when_the_machine_has_begun() {
        let (mut course, at) = course();
        course.sent(Intent::Request, at(0));
        let begun = after(&[Fact::RequestSent, Fact::Begun { session: None }]);
        assert_eq!(course.next(&begun, &policy(), at(5)), Step::Note(Fact::Unanswered));
    }

    #[test]
    fn about_the_door_makes_it_ask() {
        let (mut course, at) = course();
        let unlocking = after(&[Fact::RequestSent, begun(), Fact::UnlockSent]);
        course.sent(Intent::Unlock, at(1));
        assert_eq!(course.next(&unlocking, &policy(), at(10)), Step::Wait(at(11)));
        assert_eq!(course.next(&unlocking, &policy(), at(11)), Step::Ask);
        course.asked(at(11));
        assert_eq!(course.next(&unlocking, &policy(), at(11)), Step::Wait(at(41)));
    }

    #[test]
    fn after_the_closing_makes_it_ask_for_the_list_and_not_before() {
        let (mut course, at) = course();
        let mut state = open();
        course.sent(Intent::Unlock, at(0));
        course.hear(&taken(), at(2));
        state = transition(&state, &Fact::DoorClosed, DateTime::UNIX_EPOCH);
        course.know(&state, &policy(), at(2), DateTime::UNIX_EPOCH);
        assert_eq!(course.next(&state, &policy(), at(40)), Step::Wait(at(62)));
        assert_eq!(course.next(&state, &policy(), at(62)), Step::Ask);
        course.asked(at(62));
        course.hear(&refused(BUSY), at(62));
        assert_eq!(course.next(&state, &policy(), at(62)), Step::Wait(at(92)));
    }

    #[test]
    fn of_the_database_opens_no_door_late() {
        let (mut course, at) = course();
        course.sent(Intent::Request, at(0));
        course.hear(&acknowledgement("smart_fridge_request"), at(1));
        let begun = after(&[Fact::RequestSent, begun()]);
        assert_eq!(course.next(&begun, &policy(), at(16)), Step::Commit(Intent::Unlock));
        assert!(course.is_fresh(&policy(), at(16)));
        assert_eq!(course.next(&begun, &policy(), at(17)), Step::Note(Fact::Unanswered));
        assert!(!course.is_fresh(&policy(), at(17)));
    }

    #[test]
    fn of_every_worker_opens_no_door_late() {
        let (mut course, at) = course();
        assert_eq!(course.next(&SaleState::new(), &policy(), at(16)), Step::Note(Fact::Unanswered));
        let begun = after(&[Fact::RequestSent, begun()]);
        assert_eq!(course.next(&begun, &policy(), at(16)), Step::Note(Fact::Unanswered));
        course.asked(at(10));
        course.hear(&refused(BUSY), at(29));
        assert_eq!(course.next(&begun, &policy(), at(30)), Step::Commit(Intent::Unlock));
        assert_eq!(course.next(&begun, &policy(), at(31)), Step::Note(Fact::Unanswered));
    }
}

mod what_another_attempt_left {
    use super::*;

    #[test]
    fn a_request_without_a_session_is_given_up() {
        let requested = after(&[Fact::RequestSent]);
        let interrupted = Step::Note(Fact::Interrupted);
        for (answer, is_given_up_at_once) in
            [(None, false), (Some(refused(BUSY)), false), (Some(available()), true), (Some(refused(-4)), true)]
        {
            let (mut course, at) = course();
            assert_eq!(course.next(&requested, &policy(), at(0)), Step::Ask);
            course.asked(at(0));
            if let Some(answer) = &answer {
                course.hear(answer, at(1));
            }
            let next = course.next(&requested, &policy(), at(1));
            let expected = if is_given_up_at_once { interrupted.clone() } else { Step::Wait(at(5)) };
            assert_eq!(next, expected, "{answer:?}");
            assert_eq!(course.next(&requested, &policy(), at(5)), interrupted, "{answer:?}");
        }
    }

    #[test]
    fn a_session_is_gone_on_with() {
        let (mut course, at) = course();
        let begun = after(&[Fact::RequestSent, begun()]);
        assert_eq!(course.next(&begun, &policy(), at(0)), Step::Ask, "for its events");
        course.asked(at(0));
        assert_eq!(course.next(&begun, &policy(), at(0)), Step::Commit(Intent::Unlock));
        course.sent(Intent::Unlock, at(0));
        course.hear(&available(), at(1));
        let unlocking = after(&[Fact::RequestSent, super::begun(), Fact::UnlockSent]);
        assert_eq!(course.next(&unlocking, &policy(), at(1)), Step::Wait(at(10)), "an answer from before says nothing");
    }

    #[test]
    fn a_door_that_may_be_open_is_asked_for_and_never_opened_again() {
        for facts in [
            vec![Fact::RequestSent, begun(), Fact::UnlockSent],
            vec![Fact::RequestSent, begun(), Fact::UnlockSent, Fact::Unlocked],
            vec![Fact::RequestSent, begun(), Fact::UnlockSent, Fact::Unlocked, Fact::DoorClosed],
        ] {
            let (mut course, at) = course();
            let state = after(&facts);
            assert_eq!(course.next(&state, &policy(), at(0)), Step::Ask, "{facts:?}");
            course.asked(at(0));
            course.hear(&available(), at(1));
            assert_eq!(course.next(&state, &policy(), at(10)), Step::Wait(at(11)), "{facts:?}");
            assert_eq!(course.next(&state, &policy(), at(11)), Step::Note(Fact::Vanished), "{facts:?}");
        }
    }
}

mod the_question_how_the_machine_is {
    use super::*;

    #[test]
    fn is_repeated_until_the_machine_can_say() {
        for answer in [None, Some(refused(-4)), Some(refused(-11)), Some(refused(BUSY))] {
            let (mut course, at) = course();
            course.asked(at(0));
            if let Some(answer) = &answer {
                course.hear(answer, at(0));
            }
            assert_eq!(course.next(&open(), &policy(), at(29)), Step::Wait(at(30)), "{answer:?}");
            assert_eq!(course.next(&open(), &policy(), at(30)), Step::Ask, "{answer:?}");
        }
    }

    #[test]
    fn is_answered_by_what_is_heard_of_the_sale_as_well() {
        let (mut course, at) = course();
        course.asked(at(0));
        course.hear(&available(), at(1));
        course.hear(&taken(), at(2));
        assert_eq!(course.next(&open(), &policy(), at(11)), Step::Wait(at(32)));
    }

    #[test]
    fn is_not_answered_by_what_nobody_asked_for() {
        let (mut course, at) = course();
        course.sent(Intent::Unlock, at(0));
        course.hear(&available(), at(1));
        assert_eq!(course.next(&open(), &policy(), at(11)), Step::Wait(at(31)));
    }

    #[test]
    fn counts_from_its_first_answer() {
        let (mut course, at) = course();
        course.asked(at(0));
        course.hear(&available(), at(1));
        course.hear(&available(), at(9));
        assert_eq!(course.next(&open(), &policy(), at(11)), Step::Note(Fact::Vanished));
    }
}

mod a_late_end {
    use super::*;

    #[test]
    fn is_listened_for_as_long_as_the_sale_is_unresolved() {
        let (mut course, at) = course();
        let mut state = transition(&open(), &Fact::Vanished, DateTime::UNIX_EPOCH);
        let until = at(100);
        assert_eq!(course.next_late(&state, &policy(), until, at(0)), Step::Ask);
        course.asked(at(0));
        course.hear(&available(), at(0));
        assert_eq!(course.next_late(&state, &policy(), until, at(29)), Step::Wait(at(30)));
        assert_eq!(course.next_late(&state, &policy(), until, at(30)), Step::Ask);
        course.asked(at(90));
        assert_eq!(course.next_late(&state, &policy(), until, at(91)), Step::Wait(until));
        assert_eq!(course.next_late(&state, &policy(), until, until), Step::End);
        state = transition(&state, &Fact::Cancelled, DateTime::UNIX_EPOCH);
        assert_eq!(course.next_late(&state, &policy(), until, at(91)), Step::End);
    }
}

mod whatever_was_heard {
    use super::*;

    fn facts() -> Vec<Fact> {
        vec![
            Fact::RequestSent,
            begun(),
            Fact::Begun { session: None },
            Fact::UnlockSent,
            Fact::Unlocked,
            Fact::Taken(vec![soup()]),
            Fact::DoorClosed,
            Fact::Cancelled,
            Fact::Unanswered,
            Fact::Interrupted,
            Fact::Vanished,
            Fact::Overdue,
        ]
    }

    fn soup() -> Product {
        Product { vpn: "1".to_owned(), name: "Soup".to_owned(), unit_price: Some(450), quantity: 1 }
    }

    /// Every state that these facts lead to, in any order.
    pub(super) fn states() -> Vec<SaleState> {
        let mut states = vec![SaleState::new()];
        let mut known = 0;
        while known < states.len() {
            let next: Vec<_> = facts().iter().map(|fact| step(&states[known], fact)).collect();
            let new: Vec<_> = next.into_iter().filter(|state| !states.contains(state)).collect();
            states.extend(new);
            known += 1;
        }
        states
    }

    fn step(state: &SaleState, fact: &Fact) -> SaleState {
        transition(state, fact, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn no_door_that_may_be_open_is_asked_to_open() {
        let (mut course, at) = course();
        course.sent(Intent::Request, at(0));
        for state in states() {
            let is_asked = course.next(&state, &policy(), at(0)) == Step::Commit(Intent::Unlock);
            let may_be_open = state.unlock_sent_at.is_some() || state.opened_at.or(state.closed_at).is_some();
            assert!(!(is_asked && (may_be_open || !state.products.is_empty())), "{state:?}");
        }
    }

    #[test]
    fn a_conclusion_ends_the_sale_or_is_not_drawn_again() {
        let clocks = [Duration::ZERO, policy().overdue].map(|passed| DateTime::UNIX_EPOCH + passed);
        for (state, clock) in states().iter().flat_map(|state| clocks.map(|clock| (state, clock))) {
            let (mut course, at) = course();
            course.know(state, &policy(), at(0), clock);
            course.sent(Intent::Request, at(0));
            let Step::Note(fact) = course.next(state, &policy(), at(100)) else {
                continue;
            };
            course.concluded();
            let next = step(state, &fact);
            course.know(&next, &policy(), at(100), clock);
            let next = course.next(&next, &policy(), at(100));
            assert!(matches!(next, Step::End | Step::Ask), "{state:?}: {next:?}");
        }
    }
}
