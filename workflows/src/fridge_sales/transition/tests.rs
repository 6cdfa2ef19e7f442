use chrono::TimeDelta;

use super::*;

pub(super) fn money(text: &str) -> Money {
    Money::parse(text, Currency::parse("EUR").unwrap()).unwrap()
}

pub(super) fn product(vpn: &str, unit_price: Option<i64>, quantity: u32) -> Product {
    Product { vpn: vpn.to_owned(), name: format!("product {vpn}"), unit_price, quantity }
}

fn water() -> Vec<Product> {
    vec![product("W", Some(160), 1)]
}

pub(super) fn begun() -> Fact {
    Fact::Begun { session: Some("S-1".to_owned()) }
}

pub(super) fn request_refused(code: i64) -> Fact {
    Fact::RequestRefused { code: Some(code), message: "why".to_owned() }
}

pub(super) fn unlock_refused(code: i64) -> Fact {
    Fact::UnlockRefused { code: Some(code), message: "why".to_owned() }
}

pub(super) fn completed(products: Vec<Product>, total: Option<&str>) -> Fact {
    Fact::Completed { products, total: total.map(money) }
}

fn refused(code: i64, message: &str) -> Failure {
    Failure::Refused { code: Some(code), message: message.to_owned() }
}

/// Second by second.
pub(super) fn at(second: usize) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(second).unwrap())
}

pub(super) fn after(facts: &[Fact]) -> SaleState {
    facts.iter().enumerate().fold(SaleState::new(), |state, (second, fact)| transition(&state, fact, at(second)))
}

/// Up to the open door.
fn open() -> Vec<Fact> {
    vec![Fact::RequestSent, begun(), Fact::UnlockSent, Fact::Unlocked]
}

fn open_and(facts: &[Fact]) -> SaleState {
    after(&[open().as_slice(), facts].concat())
}

/// What may be heard of a sale, whatever its state.
pub(super) fn everything() -> Vec<Fact> {
    vec![
        Fact::RequestSent,
        begun(),
        request_refused(-11),
        Fact::UnlockSent,
        Fact::Unlocked,
        unlock_refused(-4),
        Fact::Taken(water()),
        Fact::Taken(Vec::new()),
        Fact::DoorClosed,
        completed(water(), Some("1.60")),
        completed(Vec::new(), None),
        Fact::Cancelled,
        Fact::Unanswered,
        Fact::Interrupted,
        Fact::Vanished,
        Fact::Overdue,
    ]
}

mod sales {
    use super::*;

    #[test]
    fn go_from_the_request_to_the_final_list() {
        let facts = [open(), vec![Fact::Taken(water()), Fact::DoorClosed, completed(water(), Some("1.60"))]].concat();
        let expected = [
            (SaleStatus::Requested, DoorStatus::Unknown),
            (SaleStatus::Opening, DoorStatus::Unknown),
            (SaleStatus::Opening, DoorStatus::Unknown),
            (SaleStatus::Open, DoorStatus::Open),
            (SaleStatus::Open, DoorStatus::Open),
            (SaleStatus::Closed, DoorStatus::Closed),
            (SaleStatus::Completed, DoorStatus::Closed),
        ];
        for (heard, expected) in expected.into_iter().enumerate() {
            let state = after(&facts[..=heard]);
            assert_eq!((state.status, state.door), expected, "after {:?}", facts[heard]);
        }
        let state = after(&facts);
        assert_eq!(state.session.as_deref(), Some("S-1"));
        assert_eq!((state.opened_at, state.closed_at), (Some(at(3)), Some(at(5))));
        assert_eq!((state.products, state.reported_total), (water(), Some(money("1.60"))));
    }

    #[test]
    fn that_never_open_fail_and_say_why() {
        let asked = [Fact::RequestSent, begun(), Fact::UnlockSent];
        for (known, fact, failure) in [
            (0, Fact::Unanswered, Failure::Unanswered),
            (1, Fact::Unanswered, Failure::Unanswered),
            (1, Fact::Interrupted, Failure::Interrupted),
            (1, request_refused(-5), Failure::MachineBusy),
            (1, request_refused(-4), Failure::MachineOffline),
            (1, request_refused(-2), refused(-2, "why")),
            (2, request_refused(-11), refused(-11, "why")),
            (2, Fact::Cancelled, refused(-10, "canceled & closed")),
            (3, request_refused(-11), refused(-11, "why")),
            (3, unlock_refused(-5), Failure::MachineBusy),
            (3, unlock_refused(-1), refused(-1, "why")),
        ] {
            let state = after(&[&asked[..known], std::slice::from_ref(&fact)].concat());
            assert_eq!((state.status, state.failure), (SaleStatus::Failed, Some(failure)), "{fact:?} after {known}");
        }
    }

    #[test]
    fn with_a_door_that_may_be_open_do_not_fail() {
        let unlocking = after(&open()[..3]);
        for fact in [Fact::Unanswered, Fact::Interrupted] {
            assert_eq!(transition(&unlocking, &fact, at(9)), unlocking, "{fact:?}");
        }
        assert_eq!(open_and(&[unlock_refused(-5)]), after(&open()));
        for evidence in [Fact::Unlocked, Fact::Taken(water()), Fact::DoorClosed] {
            let facts = [&open()[..3], [evidence, request_refused(-11)].as_slice()].concat();
            assert_eq!(after(&facts).status, SaleStatus::Unresolved, "{facts:?}");
        }
    }

    #[test]
    fn that_are_cancelled_are_empty_unless_something_was_taken() {
        for (facts, status) in [
            (vec![Fact::Cancelled], SaleStatus::Empty),
            (vec![Fact::DoorClosed, Fact::Cancelled], SaleStatus::Empty),
            (vec![Fact::Taken(water()), Fact::Taken(Vec::new()), Fact::Cancelled], SaleStatus::Empty),
            (vec![Fact::Taken(water()), Fact::Cancelled], SaleStatus::Unresolved),
            (vec![completed(Vec::new(), None)], SaleStatus::Empty),
            (vec![completed(Vec::new(), Some("0.00"))], SaleStatus::Empty),
            (vec![completed(Vec::new(), Some("1.60"))], SaleStatus::Completed),
        ] {
            let state = open_and(&facts);
            assert_eq!((state.status, state.door), (status, DoorStatus::Closed), "{facts:?}");
        }
        let unheard = after(&[Fact::RequestSent, begun(), Fact::UnlockSent, Fact::Cancelled]);
        assert_eq!(unheard.status, SaleStatus::Empty, "the unlocking was not answered");
    }

    #[test]
    fn that_ended_do_not_change_any_more() {
        let ends = [
            after(&[Fact::Unanswered]),
            open_and(&[Fact::Cancelled]),
            open_and(&[completed(vec![product("B", None, 2)], None)]),
        ];
        for end in ends {
            for fact in everything() {
                assert_eq!(transition(&end, &fact, at(60)), end, "{fact:?}");
            }
        }
    }

    #[test]
    fn that_were_refused_have_not_failed_when_their_door_opened_after_all() {
        let refused = after(&[Fact::RequestSent, begun(), Fact::UnlockSent, unlock_refused(-1)]);
        for (fact, status) in [
            (Fact::Unlocked, SaleStatus::Unresolved),
            (Fact::Taken(water()), SaleStatus::Unresolved),
            (completed(water(), Some("1.60")), SaleStatus::Completed),
        ] {
            let doubted = transition(&refused, &fact, at(60));
            assert_eq!((doubted.status, doubted.failure), (status, None), "{fact:?}");
        }
        let nothing = [Fact::Taken(Vec::new()), completed(Vec::new(), None), Fact::Cancelled, Fact::DoorClosed];
        for fact in nothing {
            assert_eq!(transition(&refused, &fact, at(60)), refused, "{fact:?}");
        }
        let listed = [Fact::Unlocked, Fact::Taken(water()), completed(water(), None)];
        let sold = listed.iter().fold(refused, |state, fact| transition(&state, fact, at(60)));
        assert_eq!((sold.status, sold.products), (SaleStatus::Completed, water()));
    }

    #[test]
    fn whose_end_was_missed_still_end_once() {
        let missed = open_and(&[Fact::Vanished]);
        assert_eq!((missed.status, missed.door), (SaleStatus::Unresolved, DoorStatus::Open));
        for fact in everything() {
            let next = transition(&missed, &fact, at(60));
            match &fact {
                Fact::Completed { products, .. } => assert_eq!(&next.products, products),
                Fact::Cancelled => assert_eq!(next.status, SaleStatus::Empty),
                Fact::Taken(products) => {
                    assert_eq!(next, SaleState { products: products.clone(), ..missed.clone() });
                }
                Fact::DoorClosed => {
                    assert_eq!((next.status, next.door), (SaleStatus::Unresolved, DoorStatus::Closed));
                }
                _ => assert_eq!(next, missed, "{fact:?}"),
            }
        }
        let contradicted = open_and(&[Fact::Taken(water()), Fact::Cancelled, Fact::Cancelled]);
        assert_eq!(contradicted.status, SaleStatus::Unresolved);
        let ended = transition(&contradicted, &completed(water(), None), at(60));
        assert_eq!((ended.status, ended.products), (SaleStatus::Completed, water()));
    }

    #[test]
    fn that_are_overdue_are_for_a_person() {
        let asked = [Fact::RequestSent, begun(), Fact::UnlockSent];
        for (facts, door) in [
            (asked[..1].to_vec(), DoorStatus::Unknown),
            (asked[..2].to_vec(), DoorStatus::Unknown),
            (asked.to_vec(), DoorStatus::Unknown),
            ([open(), vec![Fact::Taken(water()), Fact::DoorClosed]].concat(), DoorStatus::Closed),
        ] {
            let known = after(&facts);
            let overdue = transition(&known, &Fact::Overdue, at(60));
            assert_eq!((overdue.status, overdue.door), (SaleStatus::Unresolved, door), "{facts:?}");
            assert_eq!(SaleState { status: known.status, ..overdue.clone() }, known, "{facts:?}");
            assert_eq!(transition(&overdue, &Fact::Overdue, at(61)), overdue);
        }
        let kept = [
            after(&open()),
            after(&[Fact::Unanswered]),
            open_and(&[Fact::Cancelled]),
            open_and(&[completed(water(), None)]),
        ];
        for end in kept {
            assert_eq!(transition(&end, &Fact::Overdue, at(60)), end);
        }
    }

    #[test]
    fn are_open_when_something_is_taken_and_not_when_nothing_is() {
        for known in 0..=3 {
            let asked = open()[..known].to_vec();
            let and = |fact: Fact| after(&[asked.clone(), vec![fact]].concat());
            let taken = and(Fact::Taken(water()));
            assert_eq!((taken.status, taken.door), (SaleStatus::Open, DoorStatus::Open), "{asked:?}");
            assert_eq!((taken.opened_at, taken.products.clone()), (Some(at(known)), water()));
            assert_eq!(transition(&taken, &Fact::Unlocked, at(60)), taken, "it was opened before that was told");
            let put_back = transition(&taken, &Fact::Taken(Vec::new()), at(60));
            assert_eq!(put_back, SaleState { products: Vec::new(), ..taken });
            assert_eq!(and(Fact::Taken(Vec::new())), after(&asked), "{asked:?}");
        }
        let late = open_and(&[Fact::DoorClosed, Fact::Taken(water())]);
        assert_eq!((late.status, late.door, late.products), (SaleStatus::Closed, DoorStatus::Closed, water()));
    }

    #[test]
    fn remember_when_their_door_was_asked_to_open_first() {
        let first = after(&open()[..3]);
        assert_eq!((first.status, first.unlock_sent_at), (SaleStatus::Opening, Some(at(2))));
        assert_eq!(transition(&first, &Fact::UnlockSent, at(60)), first);
        let state = open_and(&[Fact::UnlockSent, Fact::Taken(water()), Fact::DoorClosed, Fact::UnlockSent]);
        assert_eq!((state.status, state.unlock_sent_at), (SaleStatus::Closed, Some(at(2))));
        assert_eq!(after(&[Fact::Unanswered, Fact::UnlockSent]).unlock_sent_at, None, "nobody asks any more");
    }

    #[test]
    fn are_told_of_their_door_in_any_order() {
        let state = after(&[Fact::RequestSent, begun(), Fact::UnlockSent, Fact::DoorClosed, Fact::Unlocked]);
        assert_eq!((state.status, state.door), (SaleStatus::Closed, DoorStatus::Closed));
        assert_eq!((state.opened_at, state.closed_at), (Some(at(3)), Some(at(3))), "closed after it was opened");
        let early = after(&[Fact::RequestSent, Fact::DoorClosed]);
        assert_eq!(early, after(&[Fact::RequestSent]), "nobody has asked this door to open");
    }

    #[test]
    fn keep_their_first_session() {
        let other = Fact::Begun { session: Some("S-2".to_owned()) };
        let state = after(&[Fact::RequestSent, Fact::Begun { session: None }, begun(), other]);
        assert_eq!((state.status, state.session.as_deref()), (SaleStatus::Opening, Some("S-1")));
    }

    #[test]
    fn owe_nothing_before_they_ended() {
        let authorised = money("20.00");
        let list = completed(water(), Some("9.99"));
        for (state, total, is_disputed) in [
            (open_and(&[Fact::Taken(water())]), None, false),
            (open_and(&[Fact::Taken(water()), Fact::Vanished]), None, false),
            (after(&[Fact::Unanswered]), None, false),
            (open_and(&[Fact::Cancelled]), Some(money("0")), false),
            (open_and(&[list]), Some(money("1.60")), true),
        ] {
            let standing = state.standing(&authorised);
            assert_eq!((standing.total, standing.is_disputed), (total, is_disputed), "{state:?}");
        }
    }
}

mod bills {
    use super::*;

    #[test]
    fn are_the_sum_of_the_prices() {
        let (priced, unpriced) = (product("A", Some(160), 3), product("B", None, 1));
        let endless = product("C", Some(i64::MAX), 2);
        for (products, reported, due, is_disputed) in [
            (vec![], None, Some("0"), false),
            (vec![], Some("0.00"), Some("0"), false),
            (vec![priced.clone()], None, Some("4.80"), false),
            (vec![priced.clone()], Some("4.80"), Some("4.80"), false),
            (vec![priced.clone()], Some("4.81"), Some("4.80"), true),
            (vec![priced.clone(), unpriced.clone()], Some("6.00"), Some("6.00"), true),
            (vec![priced, unpriced], None, None, true),
            (vec![endless], Some("6.00"), Some("6.00"), true),
        ] {
            let bill = bill(&products, reported.map(money).as_ref(), &money("0").currency);
            assert_eq!(bill, Bill { due: due.map(money), is_disputed }, "{products:?} {reported:?}");
        }
    }

    #[test]
    fn are_in_the_currency_of_the_sale() {
        let dollars = Money { minor: 160, currency: Currency::parse("USD").unwrap() };
        let euros = money("0").currency;
        assert_eq!(bill(&water(), Some(&dollars), &euros), Bill { due: Some(money("1.60")), is_disputed: true });
        let unpriced = [product("B", None, 1)];
        assert_eq!(bill(&unpriced, Some(&dollars), &euros), Bill { due: None, is_disputed: true });
    }
}

#[test]
fn equal_products_are_joined() {
    let (water, other) = (product("W", Some(160), 1), product("W", Some(170), 1));
    let joined = grouped(vec![other.clone(), water.clone(), water.clone()]);
    assert_eq!(joined, [Product { quantity: 2, ..water }, other]);
}

#[test]
fn facts_are_kept_in_words_that_do_not_change() {
    let written = |fact: &Fact| serde_json::to_string(fact).unwrap();
    assert_eq!(written(&Fact::RequestSent), r#""request_sent""#);
    assert_eq!(written(&begun()), r#"{"begun":{"session":"S-1"}}"#);
    assert_eq!(written(&request_refused(-5)), r#"{"request_refused":{"code":-5,"message":"why"}}"#);
    assert_eq!(written(&Fact::Overdue), r#""overdue""#);
    for fact in everything() {
        assert_eq!(serde_json::from_str::<Fact>(&written(&fact)).unwrap(), fact);
    }
}
