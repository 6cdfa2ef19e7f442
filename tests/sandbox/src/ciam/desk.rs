//! The rules of one-time passwords: one use, a few minutes, three wrong tries and then nobody for a while.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::state::{Record, World};

const MOST_WRONG_TRIES: u32 = 3;
const LOCKED_FOR: TimeDelta = TimeDelta::minutes(15);

/// A one-time password that was handed to a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Otp {
    pub(crate) text: String,
    pub(crate) expires_at: DateTime<Utc>,
    /// What it confirms; without it, anything.
    pub(crate) binding: Option<String>,
    pub(crate) is_spent: bool,
}

/// A client, and what was handed out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) client_id: String,
    otps: Vec<Otp>,
    wrong_tries: u32,
    locked_until: Option<DateTime<Utc>>,
}

/// What became of a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Verdict {
    Approved,
    Invalid {
        attempts_remaining: u32,
    },
    Expired,
    Used,
    BindingMismatch,
    Locked {
        locked_until: DateTime<Utc>,
    },
    /// Nothing is handed out to the client.
    Unknown,
}

/// A decided validation: asked again, it is answered in the same way and counts nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Validation {
    pub(crate) reference: String,
    pub(crate) client_id: String,
    /// Of the whole request, without the one-time password in clear.
    pub(crate) fingerprint: String,
    pub(crate) verdict: Verdict,
}

/// What a client typed, and what for.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) client_id: String,
    pub(crate) otp: String,
    pub(crate) reference: String,
    pub(crate) binding: String,
    pub(crate) fingerprint: String,
}

/// Everything that CIAM knows.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    holders: BTreeMap<String, Holder>,
    validations: BTreeMap<String, Validation>,
}

impl Desk {
    pub(crate) fn validation(&self, reference: &str) -> Option<&Validation> {
        self.validations.get(reference)
    }

    pub(crate) fn put_holder(&mut self, holder: Holder) {
        self.holders.insert(holder.client_id.clone(), holder);
    }

    pub(crate) fn put_validation(&mut self, validation: Validation) {
        self.validations.insert(validation.reference.clone(), validation);
    }

    /// All that is saved.
    pub(crate) fn records(&self) -> Vec<Record> {
        let holders = self.holders.values().cloned().map(Record::OtpHolder);
        holders.chain(self.validations.values().cloned().map(Record::OtpValidation)).collect()
    }

    fn holder(&self, client_id: &str) -> Holder {
        let new = || Holder { client_id: client_id.to_owned(), ..Holder::default() };
        self.holders.get(client_id).cloned().unwrap_or_else(new)
    }
}

impl Holder {
    fn judge(&mut self, attempt: &Attempt, now: DateTime<Utc>) -> Verdict {
        if let Some(locked_until) = self.locked_until.filter(|until| *until > now) {
            return Verdict::Locked { locked_until };
        }
        let Some(otp) = self.otps.iter_mut().find(|otp| otp.text == attempt.otp) else {
            return self.count_wrong(now);
        };
        if otp.is_spent {
            return Verdict::Used;
        }
        if otp.expires_at <= now {
            return Verdict::Expired;
        }
        if otp.binding.as_ref().is_some_and(|binding| *binding != attempt.binding) {
            return Verdict::BindingMismatch;
        }
        otp.is_spent = true;
        self.wrong_tries = 0;
        Verdict::Approved
    }

    fn count_wrong(&mut self, now: DateTime<Utc>) -> Verdict {
        if !self.otps.iter().any(|otp| !otp.is_spent && otp.expires_at > now) {
            return Verdict::Unknown;
        }
        self.wrong_tries += 1;
        if self.wrong_tries < MOST_WRONG_TRIES {
            return Verdict::Invalid { attempts_remaining: MOST_WRONG_TRIES - self.wrong_tries };
        }
        let locked_until = now + LOCKED_FOR;
        (self.wrong_tries, self.locked_until) = (0, Some(locked_until));
        Verdict::Locked { locked_until }
    }
}

/// Hands a one-time password to a client; one of the same text that was handed out before is no more.
pub(crate) fn issue(world: &mut World, client_id: &str, otp: Otp) {
    let mut holder = world.desk.holder(client_id);
    holder.otps.retain(|known| known.text != otp.text);
    holder.otps.push(otp);
    keep_holder(world, holder);
}

/// Decides an attempt that was not decided before.
pub(super) fn decide(world: &mut World, attempt: &Attempt, now: DateTime<Utc>) -> Verdict {
    let mut holder = world.desk.holder(&attempt.client_id);
    let verdict = holder.judge(attempt, now);
    if verdict == Verdict::Approved {
        let detail = json!({ "client_id": attempt.client_id, "reference": attempt.reference });
        world.happened("ciam", "otp_spent", detail);
    }
    keep_holder(world, holder);
    let validation = Validation {
        reference: attempt.reference.clone(),
        client_id: attempt.client_id.clone(),
        fingerprint: attempt.fingerprint.clone(),
        verdict: verdict.clone(),
    };
    world.save(Record::OtpValidation(validation.clone()));
    world.desk.put_validation(validation);
    verdict
}

fn keep_holder(world: &mut World, holder: Holder) {
    world.save(Record::OtpHolder(holder.clone()));
    world.desk.put_holder(holder);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger;

    fn world() -> (World, DateTime<Utc>) {
        let (mut world, now) = (World::new(), ledger::now());
        issue(&mut world, "C-1", otp("123456", now + TimeDelta::minutes(5), None));
        (world, now)
    }

    fn otp(text: &str, expires_at: DateTime<Utc>, binding: Option<&str>) -> Otp {
        Otp { text: text.to_owned(), expires_at, binding: binding.map(str::to_owned), is_spent: false }
    }

    fn attempt(otp: &str, reference: &str) -> Attempt {
        Attempt {
            client_id: "C-1".to_owned(),
            otp: otp.to_owned(),
            reference: reference.to_owned(),
            binding: "b".to_owned(),
            fingerprint: String::new(),
        }
    }

    #[test]
    fn a_password_is_good_once() {
        let (mut world, now) = world();
        assert_eq!(decide(&mut world, &attempt("123456", "r-1"), now), Verdict::Approved);
        assert_eq!(decide(&mut world, &attempt("123456", "r-2"), now), Verdict::Used);
        assert_eq!(world.desk.validation("r-2").unwrap().verdict, Verdict::Used);
        assert_eq!(world.entries().filter(|entry| entry.effect == "otp_spent").count(), 1);
        issue(&mut world, "C-1", otp("123456", now + TimeDelta::minutes(5), None));
        assert_eq!(decide(&mut world, &attempt("123456", "r-3"), now), Verdict::Approved);
    }

    #[test]
    fn three_wrong_ones_lock_the_client_and_a_right_one_forgives() {
        let (mut world, now) = world();
        let wrong = |world: &mut World, now| decide(world, &attempt("000000", "r"), now);
        assert_eq!(wrong(&mut world, now), Verdict::Invalid { attempts_remaining: 2 });
        assert_eq!(wrong(&mut world, now), Verdict::Invalid { attempts_remaining: 1 });
        let locked_until = now + LOCKED_FOR;
        assert_eq!(wrong(&mut world, now), Verdict::Locked { locked_until });
        assert_eq!(decide(&mut world, &attempt("123456", "r"), now), Verdict::Locked { locked_until });

        issue(&mut world, "C-1", otp("654321", locked_until + TimeDelta::minutes(5), None));
        assert_eq!(wrong(&mut world, locked_until), Verdict::Invalid { attempts_remaining: 2 });
        assert_eq!(decide(&mut world, &attempt("654321", "r"), locked_until), Verdict::Approved);
        issue(&mut world, "C-1", otp("654321", locked_until + TimeDelta::minutes(5), None));
        assert_eq!(wrong(&mut world, locked_until), Verdict::Invalid { attempts_remaining: 2 });
    }

    #[test]
    fn an_expired_one_and_one_for_something_else_are_told_apart_and_not_spent() {
        let (mut world, now) = world();
        assert_eq!(decide(&mut world, &attempt("123456", "r"), now + TimeDelta::minutes(5)), Verdict::Expired);
        issue(&mut world, "C-1", otp("111111", now + TimeDelta::minutes(5), Some("other")));
        assert_eq!(decide(&mut world, &attempt("111111", "r"), now), Verdict::BindingMismatch);
        issue(&mut world, "C-1", otp("222222", now + TimeDelta::minutes(5), Some("b")));
        assert_eq!(decide(&mut world, &attempt("222222", "r"), now), Verdict::Approved);
    }

    #[test]
    fn without_anything_handed_out_nothing_is_counted() {
        let (mut world, now) = world();
        let later = now + TimeDelta::minutes(6);
        assert_eq!(decide(&mut world, &attempt("000000", "r"), later), Verdict::Unknown);
        assert_eq!(world.desk.holder("C-1").wrong_tries, 0);
        assert_eq!(
            decide(&mut world, &Attempt { client_id: "C-2".to_owned(), ..attempt("1", "r") }, now),
            Verdict::Unknown
        );
    }
}
