use chrono::TimeDelta;
use proptest::{prelude::*, sample::Index};

use super::*;

const TRIES: u32 = 5;
const MINUTE: Duration = Duration::from_mins(1);

fn rules() -> GuardRules {
    GuardRules { tries: TRIES, locks: vec![MINUTE, 5 * MINUTE, 15 * MINUTE], stale_after: Duration::from_secs(30) }
}

fn guard() -> Guard {
    Guard { subject: "device:till".to_owned(), wrong: 0, undecided: Vec::new(), locks: 0, locked_until: None }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn attempt(guard: &mut Guard, now: DateTime<Utc>) -> Admission {
    admit(std::slice::from_mut(guard), now, &rules())
}

/// Tries a wrong PIN until that is refused, and tells by what.
fn guess(guard: &mut Guard, now: DateTime<Utc>) -> (u32, Admission) {
    let mut guesses = 0;
    loop {
        match attempt(guard, now) {
            Admission::Admitted => guard.settle(false, now, &rules()),
            refused => return (guesses, refused),
        }
        guesses += 1;
    }
}

#[test]
fn each_lock_comes_after_five_guesses_and_is_longer_than_the_one_before() {
    let mut guard = guard();
    let mut now = at(0);
    for lock in [MINUTE, 5 * MINUTE, 15 * MINUTE, 15 * MINUTE] {
        let until = now + lock;
        assert_eq!(guess(&mut guard, now), (TRIES, Admission::Locked { until, now }));
        let just_before = until - TimeDelta::microseconds(1);
        assert_eq!(attempt(&mut guard, just_before), Admission::Locked { until, now: just_before });
        now = until;
    }
}

#[test]
fn a_right_pin_begins_anew() {
    let mut guard = guard();
    guess(&mut guard, at(0));
    let after_the_lock = at(60);
    for was_right in [false, false, false, false, true] {
        assert_eq!(attempt(&mut guard, after_the_lock), Admission::Admitted);
        guard.settle(was_right, after_the_lock, &rules());
    }
    let until = after_the_lock + MINUTE;
    assert_eq!(guess(&mut guard, after_the_lock), (TRIES, Admission::Locked { until, now: after_the_lock }));
}

#[test]
fn no_more_are_looked_at_than_may_be_wrong() {
    let mut guard = guard();
    for _ in 0..TRIES {
        assert_eq!(attempt(&mut guard, at(0)), Admission::Admitted);
    }
    assert_eq!(attempt(&mut guard, at(1)), Admission::Full);
    guard.settle(true, at(1), &rules());
    assert_eq!(attempt(&mut guard, at(1)), Admission::Admitted);
}

#[test]
fn what_nobody_settles_is_wrong_after_a_while() {
    let mut guard = guard();
    for second in 0..5 {
        assert_eq!(attempt(&mut guard, at(second)), Admission::Admitted);
    }
    assert_eq!(attempt(&mut guard, at(29)), Admission::Full);
    assert_eq!(attempt(&mut guard, at(33)), Admission::Full, "four of them are wrong by now");
    assert_eq!(attempt(&mut guard, at(34)), Admission::Locked { until: at(94), now: at(34) });
}

#[test]
fn settling_what_counted_as_wrong_unlocks_nothing() {
    let mut guard = guard();
    for _ in 0..TRIES {
        attempt(&mut guard, at(0));
    }
    let locked = Admission::Locked { until: at(90), now: at(30) };
    assert_eq!(attempt(&mut guard, at(30)), locked);
    for was_right in [true, false, true, false] {
        guard.settle(was_right, at(30), &rules());
        assert_eq!(attempt(&mut guard, at(30)), locked);
    }
}

#[test]
fn nobody_else_is_charged_for_a_refused_attempt() {
    let mut guards = [guard(), guard()];
    guess(&mut guards[0], at(0));
    assert!(matches!(admit(&mut guards, at(0), &rules()), Admission::Locked { .. }));
    assert_eq!(guards[1], guard());
    guards[0] = Guard { wrong: 3, undecided: vec![at(0), at(0)], ..guard() };
    assert_eq!(admit(&mut guards, at(0), &rules()), Admission::Full);
    assert_eq!(guards[1], guard());
}

#[test]
fn without_lengths_a_lock_is_long() {
    let rules = GuardRules { tries: 0, locks: Vec::new(), ..rules() };
    let mut guard = guard();
    assert_eq!(admit(std::slice::from_mut(&mut guard), at(0), &rules), Admission::Admitted);
    guard.settle(false, at(0), &rules);
    assert_eq!(guard.locked_until(at(0)), Some(at(24 * 60 * 60)));
}

/// What may happen to a subject.
#[derive(Debug, Clone)]
enum Step {
    Begin,
    Settle { which: Index, was_right: bool },
    Die(Index),
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Begin),
        3 => any::<(Index, bool)>().prop_map(|(which, was_right)| Step::Settle { which, was_right }),
        1 => any::<Index>().prop_map(Step::Die),
        2 => prop_oneof![0..10_000_u64, 20_000..40_000_u64, 60_000..1_000_000_u64].prop_map(Step::Wait),
    ]
}

/// A subject as an attacker sees it.
struct Model {
    guard: Guard,
    now: DateTime<Utc>,
    /// When each began whose answer is yet to come.
    live: Vec<DateTime<Utc>>,
    /// Attempts that were not right, or not yet: since the last right one, and since the last lock.
    guesses: usize,
}

impl Model {
    fn new() -> Self {
        Self { guard: guard(), now: at(0), live: Vec::new(), guesses: 0 }
    }

    fn take(&mut self, step: &Step) {
        let locks_before = self.guard.locked_until;
        match step {
            Step::Begin => self.begin(),
            Step::Settle { which, was_right } if !self.live.is_empty() => {
                self.settle(which.index(self.live.len()), *was_right);
            }
            Step::Die(which) if !self.live.is_empty() => {
                self.live.remove(which.index(self.live.len()));
            }
            Step::Wait(millis) => self.wait(Duration::from_millis(*millis)),
            Step::Settle { .. } | Step::Die(_) => {}
        }
        if self.guard.locked_until != locks_before {
            self.guesses = self.live.len();
        }
    }

    fn begin(&mut self) {
        if attempt(&mut self.guard, self.now) == Admission::Admitted {
            assert_eq!(self.guard.locked_until(self.now), None);
            self.live.push(self.now);
            self.guesses += 1;
        }
    }

    fn settle(&mut self, which: usize, was_right: bool) {
        self.live.remove(which);
        self.guard.settle(was_right, self.now, &rules());
        if was_right {
            self.guesses = self.live.len();
        }
    }

    /// Whoever would take too long has a right PIN before that.
    fn wait_for_the_right_ones(&mut self, length: Duration) {
        let later = self.now + length;
        while self.live.first().is_some_and(|began| later >= *began + rules().stale_after) {
            self.settle(0, true);
        }
        self.wait(length);
    }

    /// Whoever takes too long is as good as dead.
    fn wait(&mut self, length: Duration) {
        self.now += length;
        let now = self.now;
        self.live.retain(|began| now < *began + rules().stale_after);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// What must never happen: more than five guesses without a lock, however many are made at once, whoever dies.
    #[test]
    fn nobody_guesses_more_than_five_times_without_a_lock(steps in prop::collection::vec(any_step(), 0..80)) {
        let mut model = Model::new();
        for step in &steps {
            model.take(step);
            prop_assert!(model.guesses <= TRIES as usize, "{} guesses", model.guesses);
            prop_assert!(model.guard.wrong as usize + model.guard.undecided.len() <= TRIES as usize);
        }
    }

    /// What must never happen, either: a lock although every PIN was right, however busy the subject is.
    #[test]
    fn who_knows_the_pin_is_never_locked_out(steps in prop::collection::vec(any_step(), 0..80)) {
        let mut model = Model::new();
        for step in &steps {
            match step {
                Step::Settle { which, .. } => model.take(&Step::Settle { which: *which, was_right: true }),
                Step::Die(_) => {}
                Step::Wait(millis) => model.wait_for_the_right_ones(Duration::from_millis(*millis)),
                Step::Begin => model.begin(),
            }
            prop_assert_eq!((model.guard.wrong, model.guard.locked_until), (0, None));
            prop_assert_eq!(model.guard.undecided.len(), model.live.len());
        }
    }
}
