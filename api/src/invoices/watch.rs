//! Who waits for a change of an invoice, and who tells them. One connection listens for all of them, and nobody asks the
//! database for himself while nothing happens.
//!
//! The database announces every event of an invoice, and announcements can be lost: the versions of all watched invoices
//! are read every two seconds as well, in one statement. A version is also read once somebody new waits, so that it does
//! not matter what happened between his reading of the invoice and his coming here.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use store::postgres::{Database, invoices::EVENTS_CHANNEL};
use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

use super::shared_reads::SharedReads;
use crate::problem::Problem;

/// What an announcement that was lost costs.
const POLL: Duration = Duration::from_secs(2);
/// Between two tries to listen.
const PAUSE: Duration = Duration::from_secs(1);
/// Versions that one statement reads.
const AT_ONCE: usize = 1000;
/// Who may wait at once. Each holds a connection, and of the 4096 that a process usually takes the rest is for requests
/// that are answered.
const WATCHERS: usize = 3072;
/// Of these for one invoice, which its merchant and some devices of its buyer watch: nobody who has a single invoice can
/// take the room of all others.
const WATCHERS_OF_ONE: usize = 64;

/// Tells whoever waits for a change of an invoice that there is one.
pub(crate) struct InvoiceWatch {
    hub: Arc<Hub>,
    /// What those read who were told.
    pub(super) reads: SharedReads,
}

impl InvoiceWatch {
    pub(crate) fn new() -> Self {
        Self { hub: Arc::new(Hub::new()), reads: SharedReads::new() }
    }

    /// Watches an invoice until the answer is dropped. Refused when too many wait here.
    pub(crate) fn watch(&self, invoice_id: Uuid) -> Result<Watching, Problem> {
        let full = || Problem::temporarily_unavailable("too many wait here: ask again");
        let version = self.hub.join(invoice_id).ok_or_else(full)?;
        Ok(Watching { invoice_id, version, hub: Arc::clone(&self.hub) })
    }

    /// Follows the database until `stopping`; then everybody who waits hears that. Takes two connections.
    pub(crate) async fn run(&self, database: &Database, mut stopping: watch::Receiver<bool>) {
        tokio::select! {
            // Without a sender the process is ending as well.
            _ = stopping.wait_for(|stop| *stop) => {}
            () = self.listen(database) => {}
            () = self.follow(database) => {}
        }
        self.hub.close();
    }

    async fn listen(&self, database: &Database) {
        loop {
            let Err(error) = self.hear(database).await;
            tracing::warn!(error = format!("{error:#}"), "api.watch.not_listening");
            sleep(PAUSE).await;
        }
    }

    async fn hear(&self, database: &Database) -> anyhow::Result<Infallible> {
        let mut announcements = database.listen(EVENTS_CHANNEL).await?;
        loop {
            let announced = announcements.recv().await?;
            if let Ok(invoice_id) = announced.payload().parse() {
                self.hub.hint(invoice_id);
            }
        }
    }

    /// Reads the versions of what was announced, and of all that is watched now and then. What is announced during one
    /// statement is in the next, so that a burst costs no more than a few.
    async fn follow(&self, database: &Database) {
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = tokio::select! {
                () = self.hub.hinted.notified() => self.hub.take_hinted(),
                _ = polls.tick() => self.hub.take_all(),
            };
            for invoice_ids in due.chunks(AT_ONCE) {
                self.read_versions(database, invoice_ids).await;
            }
        }
    }

    /// What cannot be read now is read with all the others soon.
    async fn read_versions(&self, database: &Database, invoice_ids: &[Uuid]) {
        match database.invoice_versions(invoice_ids).await {
            Ok(versions) => self.hub.note(&versions),
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(error, "api.watch.versions_not_read");
            }
        }
    }
}

/// The process ends: whoever waits should ask another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopping;

/// Somebody who waits for an invoice.
pub(crate) struct Watching {
    invoice_id: Uuid,
    version: watch::Receiver<i64>,
    hub: Arc<Hub>,
}

impl Watching {
    /// The invoice's version, once it is beyond `version`; at once when that is known already.
    pub(crate) async fn changed_beyond(&mut self, version: i64) -> Result<i64, Stopping> {
        let known = self.version.wait_for(|known| *known > version).await;
        known.map(|known| *known).map_err(|_closed| Stopping)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.hub.leave(self.invoice_id);
    }
}

/// Who waits for what.
struct Hub {
    /// Nothing once the process ends.
    state: Mutex<Option<State>>,
    /// There are versions to read.
    hinted: Notify,
}

#[derive(Default)]
struct State {
    watched: HashMap<Uuid, Watched>,
    /// Of all invoices.
    watchers: usize,
    /// Whose version may be another than the one that is known.
    hinted: HashSet<Uuid>,
}

/// An invoice that somebody waits for.
struct Watched {
    version: watch::Sender<i64>,
    watchers: usize,
}

impl Hub {
    fn new() -> Self {
        Self { state: Mutex::new(Some(State::default())), hinted: Notify::new() }
    }

    /// Counts one more watcher, who hears of every version from now on; nothing when there is no room for him.
    fn join(&self, invoice_id: Uuid) -> Option<watch::Receiver<i64>> {
        let mut state = self.state();
        let Some(State { watched, watchers, hinted }) = state.as_mut() else {
            // Its sender is gone: the watcher hears at once that all ends.
            return Some(watch::channel(0).1);
        };
        let of_this = watched.get(&invoice_id).map_or(0, |watched| watched.watchers);
        if *watchers >= WATCHERS || of_this >= WATCHERS_OF_ONE {
            return None;
        }
        *watchers += 1;
        let watched = watched.entry(invoice_id).or_insert_with(|| {
            hinted.insert(invoice_id);
            self.hinted.notify_one();
            Watched { version: watch::Sender::new(0), watchers: 0 }
        });
        watched.watchers += 1;
        Some(watched.version.subscribe())
    }

    /// The last one to leave takes the entry with him.
    fn leave(&self, invoice_id: Uuid) {
        let mut state = self.state();
        let Some(state) = state.as_mut() else { return };
        if let Some(watched) = state.watched.get_mut(&invoice_id) {
            state.watchers -= 1;
            watched.watchers -= 1;
            if watched.watchers == 0 {
                state.watched.remove(&invoice_id);
            }
        }
    }

    /// Something happened to the invoice. Most are watched by nobody.
    fn hint(&self, invoice_id: Uuid) {
        let mut state = self.state();
        if let Some(state) = state.as_mut().filter(|state| state.watched.contains_key(&invoice_id)) {
            state.hinted.insert(invoice_id);
            self.hinted.notify_one();
        }
    }

    fn take_hinted(&self) -> Vec<Uuid> {
        let hinted = self.state().as_mut().map(|state| mem::take(&mut state.hinted));
        hinted.into_iter().flatten().collect()
    }

    fn take_all(&self) -> Vec<Uuid> {
        let mut state = self.state();
        let Some(state) = state.as_mut() else { return Vec::new() };
        state.hinted.clear();
        state.watched.keys().copied().collect()
    }

    /// Wakes whoever waits for one of these versions. A statement that was overtaken by another changes nothing.
    fn note(&self, versions: &[(Uuid, i64)]) {
        let mut state = self.state();
        let Some(state) = state.as_mut() else { return };
        for (invoice_id, version) in versions {
            if let Some(watched) = state.watched.get(invoice_id) {
                watched.version.send_if_modified(|known| raise(known, *version));
            }
        }
    }

    /// Everybody hears that all ends, also who comes later.
    fn close(&self) {
        let ended = self.state().take();
        drop(ended);
    }

    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the version is newer than the one that was known.
fn raise(known: &mut i64, version: i64) -> bool {
    let newer = version > *known;
    *known = version.max(*known);
    newer
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    const INVOICE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    /// What a watcher hears without any waiting.
    async fn heard(watching: &mut Watching, version: i64) -> Option<Result<i64, Stopping>> {
        tokio::select! {
            biased;
            heard = watching.changed_beyond(version) => Some(heard),
            () = ready(()) => None,
        }
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_a_newer_version() {
        let watch = InvoiceWatch::new();
        let [mut one, mut two, mut other] = [INVOICE, INVOICE, OTHER].map(|id| watch.watch(id).unwrap());
        watch.hub.note(&[(INVOICE, 3), (Uuid::from_u128(3), 9)]);
        assert_eq!(heard(&mut one, 2).await, Some(Ok(3)));
        assert_eq!(heard(&mut two, 3).await, None, "this one he has");
        assert_eq!(heard(&mut other, 0).await, None);
        watch.hub.note(&[(INVOICE, 2)]);
        assert_eq!(heard(&mut two, 2).await, Some(Ok(3)), "no version is taken back");
    }

    #[tokio::test]
    async fn a_waiter_is_woken() {
        let watch = InvoiceWatch::new();
        let mut watching = watch.watch(INVOICE).unwrap();
        let waiting = tokio::spawn(async move { watching.changed_beyond(1).await });
        tokio::task::yield_now().await;
        watch.hub.note(&[(INVOICE, 2)]);
        assert_eq!(waiting.await.unwrap(), Ok(2));
    }

    #[test]
    fn what_may_have_changed_is_read_once() {
        let watch = InvoiceWatch::new();
        watch.hub.hint(INVOICE);
        assert!(watch.hub.take_hinted().is_empty(), "nobody waits for it");
        let _first = watch.watch(INVOICE).unwrap();
        assert_eq!(watch.hub.take_hinted(), [INVOICE], "it may have changed before he came");
        let _second = watch.watch(INVOICE).unwrap();
        assert!(watch.hub.take_hinted().is_empty());
        watch.hub.hint(INVOICE);
        watch.hub.hint(INVOICE);
        assert_eq!(watch.hub.take_hinted(), [INVOICE]);
        watch.hub.hint(INVOICE);
        assert_eq!(watch.hub.take_all(), [INVOICE]);
        assert!(watch.hub.take_hinted().is_empty());
    }

    #[test]
    fn an_entry_leaves_with_its_last_watcher() {
        let watch = InvoiceWatch::new();
        let [one, two] = [INVOICE, INVOICE].map(|id| watch.watch(id).unwrap());
        drop(one);
        assert_eq!(watch.hub.take_all(), [INVOICE]);
        drop(two);
        assert!(watch.hub.take_all().is_empty());
    }

    #[test]
    fn no_more_may_wait_than_there_is_room_for() {
        let watch = InvoiceWatch::new();
        let refused = |invoice_id| watch.watch(invoice_id).err().map(|problem| problem.code());
        let of_one: Vec<_> = (0..WATCHERS_OF_ONE).map(|_| watch.watch(INVOICE).unwrap()).collect();
        assert_eq!((refused(INVOICE), refused(OTHER)), (Some("temporarily_unavailable"), None));
        let others: Vec<_> = (2..).map(|id| watch.watch(Uuid::from_u128(id))).map_while(Result::ok).collect();
        assert_eq!(of_one.len() + others.len(), WATCHERS);
        assert_eq!(refused(Uuid::nil()), Some("temporarily_unavailable"));
        assert_eq!(watch.hub.take_all().len(), 1 + others.len(), "who is refused leaves nothing");
        drop(of_one);
        assert_eq!((refused(INVOICE), refused(Uuid::nil())), (None, None));
    }

    #[tokio::test]
    async fn at_the_end_everybody_hears_it() {
        let watch = InvoiceWatch::new();
        let mut early = watch.watch(INVOICE).unwrap();
        watch.hub.close();
        let mut late = watch.watch(INVOICE).unwrap();
        assert_eq!(heard(&mut early, 0).await, Some(Err(Stopping)));
        assert_eq!(heard(&mut late, 0).await, Some(Err(Stopping)));
        watch.hub.hint(INVOICE);
        watch.hub.note(&[(INVOICE, 1)]);
        assert!(watch.hub.take_all().is_empty() && watch.hub.take_hinted().is_empty());
    }
}
