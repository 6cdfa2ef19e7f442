//! A PIN is counted before it is looked at, so that guesses sent at once have no more tries than guesses in a row.

use std::time::Duration;

use store::postgres::{
    Database,
    gifts::{Account, Admission, ResolvedNumber},
};
use tokio::time::{Instant, sleep};
use workflows::domain::Confidential;

use super::{
    Gifts,
    pin::{Place, Trial},
};
use crate::problem::Problem;

/// How long a PIN waits for those before it, which may turn out right.
const PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// When to come again, where nobody knows how long the others take.
const SOON: Duration = Duration::from_secs(1);

/// A PIN that somebody sent.
pub(super) struct Guess {
    /// The device, as its principal is written.
    pub(super) device: String,
    /// What the number that came with it is, if it is of the device's supplier.
    pub(super) number: Option<ResolvedNumber>,
    /// Of the device's supplier, all.
    pub(super) accounts: Vec<Account>,
    pub(super) pin: Confidential,
}

/// What became of a PIN.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is this account's, by its number.
    Right(String),
    /// It is none that the number stands for, or the number stands for none.
    Wrong,
    /// It was not looked at: there were too many wrong ones, or may still be. The next one may be after this.
    Locked(Duration),
}

impl Guess {
    /// On whose account it is counted. A number of another supplier counts for the device alone: no shop can lock
    /// another.
    fn subjects(&self) -> Vec<String> {
        let number = self.number.as_ref().map(|number| number.guard_subject.clone());
        [format!("device:{}", self.device)].into_iter().chain(number).collect()
    }
}

impl Gifts {
    /// Counts a PIN, looks at it and settles the count. Has to run to its end: what is counted and not settled counts
    /// as wrong some time later.
    pub(super) async fn judge(&self, database: &Database, guess: Guess) -> Result<Verdict, Problem> {
        let subjects = guess.subjects();
        let trial = Trial::new(guess.accounts, guess.number.as_ref(), self.pins.nobodys());
        let place = match self.admit(database, &subjects, &trial).await? {
            Ok(place) => place,
            Err(wait) => return Ok(Verdict::Locked(wait)),
        };
        let account = self.pins.compare(trial, guess.pin, place).await?;
        database.settle_attempt(&subjects, account.is_some(), &self.settings.rules()).await?;
        Ok(account.map_or(Verdict::Wrong, Verdict::Right))
    }

    /// A place to be looked at, counted; or how long there will be none. Nothing is counted where there is no room: it
    /// could not be looked at in time.
    async fn admit(
        &self,
        database: &Database,
        subjects: &[String],
        trial: &Trial,
    ) -> Result<Result<Place, Duration>, Problem> {
        let rules = self.settings.rules();
        let until = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            let place = self.pins.reserve(trial)?;
            match next(database.admit_attempt(subjects, &rules).await?, Instant::now() >= until) {
                Next::Enter => return Ok(Ok(place)),
                Next::Leave(wait) => return Ok(Err(wait)),
                Next::Wait => drop(place),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Enter,
    Wait,
    Leave(Duration),
}

fn next(admission: Admission, is_late: bool) -> Next {
    match admission {
        Admission::Admitted => Next::Enter,
        Admission::Full if is_late => Next::Leave(SOON),
        Admission::Full => Next::Wait,
        Admission::Locked { until, now } => Next::Leave((until - now).to_std().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn subjects(number: Option<ResolvedNumber>) -> Vec<String> {
        let (device, pin) = ("shop:S-1/till-1".to_owned(), Confidential::new("2468".to_owned()));
        Guess { device, number, accounts: Vec::new(), pin }.subjects()
    }

    #[test]
    fn a_guess_counts_for_the_device_and_for_a_number_of_its_supplier() {
        let number =
            ResolvedNumber { supplier_code: "S-1".to_owned(), account: None, guard_subject: "supplier:S-1".to_owned() };
        assert_eq!(subjects(Some(number)), ["device:shop:S-1/till-1", "supplier:S-1"]);
        assert_eq!(subjects(None), ["device:shop:S-1/till-1"]);
    }

    #[test]
    fn whoever_is_not_let_in_waits_a_little_unless_there_is_a_lock() {
        let now = DateTime::from_timestamp_millis(1_767_225_600_000).unwrap();
        assert_eq!(next(Admission::Admitted, true), Next::Enter);
        assert_eq!(next(Admission::Full, false), Next::Wait);
        assert_eq!(next(Admission::Full, true), Next::Leave(SOON));
        for (until, wait) in [(now + TimeDelta::seconds(61), 61), (now, 0), (now - TimeDelta::seconds(1), 0)] {
            assert_eq!(next(Admission::Locked { until, now }, false), Next::Leave(Duration::from_secs(wait)));
        }
    }
}
