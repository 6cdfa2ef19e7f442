//! Who waits for what.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::subject::{Kind, Subject};

/// Who may wait at once. Each holds a connection, and of the 4096 that a process usually takes the rest is for requests
/// that are answered.
pub(super) const WATCHERS: usize = 3072;
/// Of these for one subject: an invoice, which its merchant and some devices of its buyer watch, or a sale, which its
/// frontend does. Nobody who has a single one can take the room of all others.
pub(super) const WATCHERS_OF_ONE: usize = 64;

/// Who waits for what.
pub(super) struct Hub {
    /// Nothing once the process ends.
    state: Mutex<Option<State>>,
    /// There are versions to read.
    pub(super) hinted: Notify,
}

#[derive(Default)]
struct State {
    watched: HashMap<Subject, Entry>,
    /// Of all subjects.
    watchers: usize,
    /// Whose version may be another than the one that is known.
    hinted: HashSet<Subject>,
}

/// Something that somebody waits for.
struct Entry {
    version: watch::Sender<i64>,
    watchers: usize,
}

impl Hub {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(Some(State::default())), hinted: Notify::new() }
    }

    /// Counts one more watcher, who hears of every version from now on; nothing when there is no room for him.
    pub(super) fn join(&self, subject: Subject) -> Option<watch::Receiver<i64>> {
        let mut state = self.state();
        let Some(State { watched, watchers, hinted }) = state.as_mut() else {
            // Its sender is gone: the watcher hears at once that all ends.
            return Some(watch::channel(0).1);
        };
        let of_this = watched.get(&subject).map_or(0, |watched| watched.watchers);
        if *watchers >= WATCHERS || of_this >= WATCHERS_OF_ONE {
            return None;
        }
        *watchers += 1;
        let watched = watched.entry(subject).or_insert_with(|| {
            hinted.insert(subject);
            self.hinted.notify_one();
            Entry { version: watch::Sender::new(0), watchers: 0 }
        });
        watched.watchers += 1;
        Some(watched.version.subscribe())
    }

    /// The last one to leave takes the entry with him.
    pub(super) fn leave(&self, subject: Subject) {
        let mut state = self.state();
        let Some(state) = state.as_mut() else { return };
        if let Some(watched) = state.watched.get_mut(&subject) {
            state.watchers -= 1;
            watched.watchers -= 1;
            if watched.watchers == 0 {
                state.watched.remove(&subject);
            }
        }
    }

    /// Something happened to the subject. Most are watched by nobody.
    pub(super) fn hint(&self, subject: Subject) {
        let mut state = self.state();
        if let Some(state) = state.as_mut().filter(|state| state.watched.contains_key(&subject)) {
            state.hinted.insert(subject);
            self.hinted.notify_one();
        }
    }

    pub(super) fn take_hinted(&self) -> Vec<Subject> {
        let hinted = self.state().as_mut().map(|state| mem::take(&mut state.hinted));
        hinted.into_iter().flatten().collect()
    }

    pub(super) fn take_all(&self) -> Vec<Subject> {
        let mut state = self.state();
        let Some(state) = state.as_mut() else { return Vec::new() };
        state.hinted.clear();
        state.watched.keys().copied().collect()
    }

    /// Wakes whoever waits for one of these versions. A statement that was overtaken by another changes nothing.
    pub(super) fn note(&self, kind: Kind, versions: &[(Uuid, i64)]) {
        let mut state = self.state();
        let Some(state) = state.as_mut() else { return };
        for (id, version) in versions {
            if let Some(watched) = state.watched.get(&Subject { kind, id: *id }) {
                watched.version.send_if_modified(|known| raise(known, *version));
            }
        }
    }

    /// Everybody hears that all ends, also who comes later.
    pub(super) fn close(&self) {
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
