//! Which outputs have something new to report, in the order in which they got it. Only the latest version of an output
//! is ever sent, so the queue holds outputs, not observations.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::chains::{Network, Transaction};

/// Observations per request.
const BATCH: usize = 50;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OutputKey {
    pub(crate) network: Network,
    pub(crate) tx_id: String,
    pub(crate) index: usize,
}

impl OutputKey {
    /// The outputs with something to report, each with the address it pays.
    pub(crate) fn of_undelivered(transaction: &Transaction) -> impl Iterator<Item = (Self, String)> {
        let outputs = transaction.outputs.iter().enumerate();
        let undelivered = outputs.filter(|(_, output)| output.version > output.delivered_version);
        undelivered.map(|(index, output)| {
            let key = Self { network: transaction.network, tx_id: transaction.tx_id.clone(), index };
            (key, output.address.clone())
        })
    }
}

/// An output that waits for its turn.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) key: OutputKey,
    pub(crate) address: String,
    failures: u32,
    not_before: Option<Instant>,
    /// The API refused a batch it was in: sent alone, it cannot keep others from arriving.
    alone: bool,
}

/// What the watcher does next.
#[derive(Debug)]
pub(crate) enum Next {
    Send(Vec<Waiting>),
    /// Nothing is due until then, or until something changes.
    Sleep(Option<Instant>),
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    /// Waiting or on the way.
    known: HashSet<OutputKey>,
}

impl Queue {
    /// Adds an output at the end, unless it waits or is on the way already.
    pub(crate) fn push(&mut self, key: OutputKey, address: String) {
        if self.known.insert(key.clone()) {
            self.waiting.push_back(Waiting { key, address, failures: 0, not_before: None, alone: false });
        }
    }

    /// Takes what is due, oldest first.
    pub(crate) fn take(&mut self, now: Instant, pauses: &BTreeSet<String>) -> Next {
        let (mut batch, mut rest, mut wake) = (Vec::new(), VecDeque::with_capacity(self.waiting.len()), None);
        let mut full = false;
        for waiting in self.waiting.drain(..) {
            let due = waiting.not_before.is_none_or(|time| time <= now);
            if full || !due || waiting.is_paused(pauses) || (waiting.alone && !batch.is_empty()) {
                wake = waiting.earlier_wake(wake, pauses);
                rest.push_back(waiting);
                continue;
            }
            full = waiting.alone || batch.len() + 1 == BATCH;
            batch.push(waiting);
        }
        self.waiting = rest;
        if batch.is_empty() { Next::Sleep(wake) } else { Next::Send(batch) }
    }

    /// The output arrived as it was sent.
    pub(crate) fn finish(&mut self, waiting: Waiting, is_newer_waiting: bool) {
        self.known.remove(&waiting.key);
        if is_newer_waiting {
            self.push(waiting.key, waiting.address);
        }
    }

    /// The output goes again, after a delay that grows.
    pub(crate) fn retry(&mut self, mut waiting: Waiting, now: Instant, alone: bool) {
        let delay = FIRST_DELAY * 2_u32.saturating_pow(waiting.failures.min(10));
        waiting.not_before = Some(now + delay.min(LONGEST_DELAY));
        waiting.failures += 1;
        waiting.alone |= alone;
        self.waiting.push_front(waiting);
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl Waiting {
    fn is_paused(&self, pauses: &BTreeSet<String>) -> bool {
        pauses.iter().any(|text| self.address.contains(text.as_str()) || self.key.tx_id.contains(text.as_str()))
    }

    fn earlier_wake(&self, wake: Option<Instant>, pauses: &BTreeSet<String>) -> Option<Instant> {
        if self.is_paused(pauses) {
            return wake;
        }
        match (wake, self.not_before) {
            (Some(wake), Some(time)) => Some(wake.min(time)),
            (wake, time) => wake.or(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> OutputKey {
        OutputKey { network: Network::Tron, tx_id: name.to_owned(), index: 0 }
    }

    fn filled(names: impl IntoIterator<Item = String>) -> Queue {
        let mut queue = Queue::default();
        names.into_iter().for_each(|name| queue.push(key(&name), format!("address-{name}")));
        queue
    }

    fn taken(queue: &mut Queue, now: Instant, pauses: &BTreeSet<String>) -> Vec<Waiting> {
        match queue.take(now, pauses) {
            Next::Send(batch) => batch,
            Next::Sleep(_) => Vec::new(),
        }
    }

    #[tokio::test]
    async fn batches_are_bounded_and_in_order() {
        let mut queue = filled((0..120).map(|number| format!("{number:03}")));
        let mut sizes = Vec::new();
        let mut order = Vec::new();
        while let Next::Send(batch) = queue.take(Instant::now(), &BTreeSet::new()) {
            sizes.push(batch.len());
            order.extend(batch.into_iter().map(|waiting| waiting.key.tx_id));
        }
        assert_eq!(sizes, [50, 50, 20]);
        assert!(order.is_sorted());
    }

    #[tokio::test]
    async fn an_output_waits_once_and_again_when_it_changed_on_the_way() {
        let (now, nothing) = (Instant::now(), BTreeSet::new());
        let mut queue = filled(["a".to_owned(), "a".to_owned()]);
        let sent = taken(&mut queue, now, &nothing).remove(0);
        queue.push(key("a"), "address-a".to_owned());
        assert_eq!(queue.len(), 0, "it is on the way");
        queue.finish(sent, true);
        assert_eq!(taken(&mut queue, now, &nothing).len(), 1);
    }

    fn sleeps_until(next: &Next) -> Instant {
        match next {
            Next::Sleep(Some(until)) => *until,
            _ => panic!("it is due, or never will be"),
        }
    }

    #[tokio::test]
    async fn what_failed_waits_ever_longer_and_keeps_nobody_back() {
        let (now, nothing) = (Instant::now(), BTreeSet::new());
        let mut queue = filled(["a".to_owned()]);
        for delay_ms in [100, 200, 400, 800, 1600, 2000, 2000] {
            let later = now + Duration::from_mins(1);
            let failed = taken(&mut queue, later, &nothing).remove(0);
            queue.retry(failed, now, false);
            assert_eq!(sleeps_until(&queue.take(now, &nothing)) - now, Duration::from_millis(delay_ms));
        }
        queue.push(key("b"), "address-b".to_owned());
        assert_eq!(taken(&mut queue, now, &nothing).remove(0).key, key("b"));
    }

    #[tokio::test]
    async fn what_was_refused_as_a_whole_goes_one_by_one() {
        let (now, nothing) = (Instant::now(), BTreeSet::new());
        let mut queue = filled(["a", "b", "c"].map(str::to_owned));
        for refused in taken(&mut queue, now, &nothing).into_iter().rev() {
            queue.retry(refused, now, true);
        }
        let later = now + Duration::from_secs(1);
        for name in ["a", "b", "c"] {
            let batch = taken(&mut queue, later, &nothing);
            assert_eq!(batch.iter().map(|waiting| &waiting.key).collect::<Vec<_>>(), [&key(name)]);
        }
    }

    #[tokio::test]
    async fn a_pause_holds_what_it_names_or_everything() {
        let now = Instant::now();
        let mut queue = filled(["a", "b"].map(str::to_owned));
        assert!(matches!(queue.take(now, &BTreeSet::from([String::new()])), Next::Sleep(None)));
        let batch = taken(&mut queue, now, &BTreeSet::from(["address-a".to_owned()]));
        assert_eq!(batch.iter().map(|waiting| &waiting.key).collect::<Vec<_>>(), [&key("b")]);
        assert_eq!(queue.len(), 1);
    }
}
