//! PINs: looked at a few at once, off the threads that answer requests.

mod hasher;
mod trial;

use std::sync::Arc;

use anyhow::Context;
use secrecy::SecretString;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use uuid::Uuid;
use workflows::domain::Confidential;

pub(crate) use hasher::{PinHasher, PinSettings, is_pin};
pub(super) use trial::Trial;

use crate::problem::Problem;

/// Comparisons that may wait for each processor that takes them. Whoever would wait longer is asked to come again: one
/// that was let in has to be over long before the guard takes it for lost.
const WAITING: usize = 128;

/// What PINs are judged with.
pub(super) struct Pins {
    hasher: Arc<PinHasher>,
    /// Of a PIN that nobody has.
    nobodys: SecretString,
    /// As many trials at once as may take a processor.
    processors: Arc<Semaphore>,
    /// As many comparisons as may wait.
    room: Arc<Semaphore>,
}

/// A place among those who wait, until it is dropped.
pub(super) struct Place {
    _comparisons: OwnedSemaphorePermit,
}

impl Pins {
    pub(super) fn new(hasher: PinHasher, at_once: u16) -> anyhow::Result<Self> {
        let nobodys = hasher.hash(&Confidential::new(Uuid::now_v7().to_string()));
        let processors = usize::from(at_once);
        Ok(Self {
            nobodys: nobodys.context("no PIN can be hashed")?.into(),
            hasher: Arc::new(hasher),
            processors: Arc::new(Semaphore::new(processors)),
            room: Arc::new(Semaphore::new(processors * WAITING)),
        })
    }

    /// A hash that takes as long as any and belongs to nobody.
    pub(super) const fn nobodys(&self) -> &SecretString {
        &self.nobodys
    }

    /// A place for `trial`, if there is one.
    pub(super) fn reserve(&self, trial: &Trial) -> Result<Place, Problem> {
        let comparisons = u32::try_from(trial.comparisons()).map_err(Problem::unforeseen)?;
        let place = Arc::clone(&self.room).try_acquire_many_owned(comparisons);
        let place = place.map_err(|_full| {
            Problem::temporarily_unavailable("too many PINs are being looked at: repeat the request with its key")
        })?;
        Ok(Place { _comparisons: place })
    }

    /// The account whose PIN it is, if it is one's. What has begun ends by itself, whoever waits for it.
    pub(super) async fn compare(
        &self,
        trial: Trial,
        pin: Confidential,
        place: Place,
    ) -> Result<Option<String>, Problem> {
        let processor = Arc::clone(&self.processors).acquire_owned().await.map_err(Problem::unforeseen)?;
        let hasher = Arc::clone(&self.hasher);
        let comparing = spawn_blocking(move || {
            let account = trial.run(&hasher, &pin);
            drop((processor, place));
            account
        });
        comparing.await.map_err(Problem::unforeseen)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        trial::tests::{accounts, number, pin},
        *,
    };

    fn pins() -> Pins {
        Pins::new(PinHasher::quick(1), 1).unwrap()
    }

    fn trial(pins: &Pins) -> Trial {
        Trial::new(accounts(&[("101", Some("0001")), ("102", None)]), Some(&number(None)), pins.nobodys())
    }

    #[tokio::test]
    async fn a_pin_is_compared_elsewhere_and_its_place_is_free_again() {
        let pins = pins();
        let mut compared = Vec::new();
        for text in ["0001", "1"] {
            let trial = trial(&pins);
            let place = pins.reserve(&trial).unwrap();
            compared.push(pins.compare(trial, pin(text), place).await.unwrap());
        }
        assert_eq!(compared, [Some("101".to_owned()), None]);
        assert_eq!((pins.processors.available_permits(), pins.room.available_permits()), (1, WAITING));
    }

    #[test]
    fn whoever_would_wait_too_long_is_asked_to_come_again() {
        let pins = pins();
        let places: Vec<_> = (0..WAITING).map(|_| pins.reserve(&trial(&pins)).unwrap()).collect();
        assert_eq!(pins.reserve(&trial(&pins)).err().unwrap().code(), "temporarily_unavailable");
        drop(places);
        assert!(pins.reserve(&trial(&pins)).is_ok());
    }
}
