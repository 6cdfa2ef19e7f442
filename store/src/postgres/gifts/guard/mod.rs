//! How often a PIN may be wrong: pure, so that it can be proved. The rows are in `attempts.rs`.

#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// How long a lock lasts where the rules name none.
const WITHOUT_RULE: Duration = Duration::from_hours(24);

/// How often a PIN may be wrong, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardRules {
    /// Wrong ones in a row that lock. At least 1.
    pub tries: u32,
    /// How long each lock lasts: the first, the second and so on; later ones as the last. A right PIN begins anew.
    pub locks: Vec<Duration>,
    /// An attempt that nobody settled for this long counts as wrong. Longer than any verification takes: one that is
    /// settled later still gives a try back, which may then be another's.
    pub stale_after: Duration,
}

/// Whether a PIN may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Yes: it is counted, and has to be settled.
    Admitted,
    /// Not yet: as many are being looked at as may still be wrong.
    Full,
    /// No: too many were wrong.
    Locked {
        /// When the last of the locks ends.
        until: DateTime<Utc>,
        /// The database's time.
        now: DateTime<Utc>,
    },
}

/// What is known of one subject: a device, an account, a supplier.
///
/// Wrong and undecided attempts together never exceed the tries, since all that are admitted may turn out wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Guard {
    pub(super) subject: String,
    /// In a row, since the last right one or the last lock.
    pub(super) wrong: u32,
    /// When the attempts began that nobody has settled, oldest first. Which of them is whose is not known: a settled one
    /// takes the oldest along, so that those that stay look no older than they are and are never given up too soon.
    pub(super) undecided: Vec<DateTime<Utc>>,
    /// Since the last right one.
    pub(super) locks: u32,
    pub(super) locked_until: Option<DateTime<Utc>>,
}

/// Begins an attempt against every guard or against none. A lock says no first, then a full guard.
pub(super) fn admit(guards: &mut [Guard], now: DateTime<Utc>, rules: &GuardRules) -> Admission {
    for guard in &mut *guards {
        guard.count_stale(now, rules);
    }
    if let Some(until) = guards.iter().filter_map(|guard| guard.locked_until(now)).max() {
        return Admission::Locked { until, now };
    }
    if guards.iter().any(|guard| guard.is_full(rules)) {
        return Admission::Full;
    }
    for guard in guards {
        guard.undecided.push(now);
    }
    Admission::Admitted
}

impl GuardRules {
    fn lock_length(&self, locks_before: u32) -> Duration {
        let nth = usize::try_from(locks_before).unwrap_or(usize::MAX);
        self.locks.get(nth).or(self.locks.last()).copied().unwrap_or(WITHOUT_RULE)
    }
}

impl Guard {
    /// An attempt is decided. One that has counted as stale may have nothing left to give back; a lock stays.
    pub(super) fn settle(&mut self, was_right: bool, now: DateTime<Utc>, rules: &GuardRules) {
        if !self.undecided.is_empty() {
            self.undecided.remove(0);
        }
        if was_right {
            (self.wrong, self.locks) = (0, 0);
        } else {
            self.count_wrong(1, now, rules);
        }
    }

    /// What nobody settled in time counts as wrong: whoever looked at it may have told the outcome before dying.
    fn count_stale(&mut self, now: DateTime<Utc>, rules: &GuardRules) {
        let before = self.undecided.len();
        self.undecided.retain(|began| now < *began + rules.stale_after);
        self.count_wrong(count(before - self.undecided.len()), now, rules);
    }

    fn count_wrong(&mut self, wrong: u32, now: DateTime<Utc>, rules: &GuardRules) {
        self.wrong = self.wrong.saturating_add(wrong);
        if self.wrong >= rules.tries.max(1) {
            self.locked_until = self.locked_until.max(Some(now + rules.lock_length(self.locks)));
            self.locks = self.locks.saturating_add(1);
            self.wrong = 0;
        }
    }

    fn locked_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.locked_until.filter(|until| now < *until)
    }

    fn is_full(&self, rules: &GuardRules) -> bool {
        self.wrong.saturating_add(count(self.undecided.len())) >= rules.tries.max(1)
    }
}

fn count(attempts: usize) -> u32 {
    u32::try_from(attempts).unwrap_or(u32::MAX)
}
