//! Only so many starts of one process are with Temporal at the same moment. More than the servers can carry would all be
//! late: each caller would give up and ask again, what was done for him would be thrown away, and in the end nothing at all
//! would be done.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// Places of each process, so that one that is stuck takes nothing from the others.
pub(crate) struct Admission {
    at_once: usize,
    processes: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Admission {
    pub(crate) fn new(at_once: usize) -> Self {
        Self { at_once, processes: Mutex::default() }
    }

    /// A place, until it is dropped. Whoever came first is first.
    pub(crate) async fn place(&self, process: &str) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.places(process).acquire_owned().await
    }

    fn places(&self, process: &str) -> Arc<Semaphore> {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        let places = processes.entry(process.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.at_once)));
        Arc::clone(places)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn whoever_comes_when_it_is_full_waits_for_a_place_of_his_process() {
        let admission = Admission::new(2);
        let (first, second) = tokio::join!(admission.place("gifts"), admission.place("gifts"));
        let mut third = Box::pin(admission.place("gifts"));
        assert!(third.as_mut().now_or_never().is_none());
        assert!(admission.place("invoices").now_or_never().is_some(), "others are not concerned");
        drop(first);
        assert!(third.now_or_never().is_some());
        drop(second);
    }

    #[tokio::test]
    async fn whoever_goes_away_while_he_waits_takes_no_place() {
        let admission = Admission::new(1);
        let first = admission.place("gifts").await;
        assert!(admission.place("gifts").now_or_never().is_none());
        drop(first);
        assert!(admission.place("gifts").now_or_never().is_some());
    }
}
