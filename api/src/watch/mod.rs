//! Who waits for a change of an invoice or of a transaction, and who tells them. One connection listens for all of them,
//! and nobody asks the database for himself while nothing happens.
//!
//! The database announces every change, and announcements can be lost: the versions of all that is watched are read every
//! two seconds as well, in one statement for each kind. A version is also read once somebody new waits, so that it does
//! not matter what happened between his reading of the thing and his coming here.

mod hub;
mod shared_reads;
mod subject;
pub(crate) mod wait;

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures::future::join_all;
use store::postgres::Database;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

pub(crate) use shared_reads::{Answers, Page, SharedReads, Told};
pub(crate) use subject::Subject;

use crate::problem::Problem;
use hub::Hub;
use subject::Kind;

/// What an announcement that was lost costs.
const POLL: Duration = Duration::from_secs(2);
/// Between two tries to listen.
const PAUSE: Duration = Duration::from_secs(1);
/// Versions that one statement reads.
const AT_ONCE: usize = 1000;

/// Tells whoever waits for a change that there is one.
pub(crate) struct Watch {
    hub: Arc<Hub>,
    /// What those read who were told.
    pub(crate) reads: SharedReads,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self { hub: Arc::new(Hub::new()), reads: SharedReads::new() }
    }

    /// Watches a subject until the answer is dropped. Refused when too many wait here.
    pub(crate) fn watch(&self, subject: Subject) -> Result<Watching, Problem> {
        let full = || Problem::temporarily_unavailable("too many wait here: ask again");
        let version = self.hub.join(subject).ok_or_else(full)?;
        Ok(Watching { subject, version, hub: Arc::clone(&self.hub) })
    }

    /// Follows the database until `stopping`; then everybody who waits hears that. Takes one connection to listen and one for each kind.
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
        let mut announcements = database.listen(&Kind::ALL.map(Kind::channel)).await?;
        loop {
            let announced = announcements.recv().await?;
            if let Some(subject) = Subject::announced(announced.channel(), announced.payload()) {
                self.hub.hint(subject);
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
            self.read_versions(database, &due).await;
        }
    }

    async fn read_versions(&self, database: &Database, subjects: &[Subject]) {
        // At once: what holds up the one does not hold up the other.
        join_all(Kind::ALL.map(|kind| self.read_versions_of(database, kind, subjects))).await;
    }

    async fn read_versions_of(&self, database: &Database, kind: Kind, subjects: &[Subject]) {
        let of_kind = subjects.iter().filter(|subject| subject.kind == kind);
        let ids: Vec<_> = of_kind.map(|subject| subject.id).collect();
        for ids in ids.chunks(AT_ONCE) {
            self.note_versions(database, kind, ids).await;
        }
    }

    /// What cannot be read now is read with all the others soon.
    async fn note_versions(&self, database: &Database, kind: Kind, ids: &[Uuid]) {
        match kind.versions(database, ids).await {
            Ok(versions) => self.hub.note(kind, &versions),
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

/// Somebody who waits for a change of a subject.
pub(crate) struct Watching {
    subject: Subject,
    version: watch::Receiver<i64>,
    hub: Arc<Hub>,
}

impl Watching {
    /// The subject's version, once it is beyond `version`; at once when that is known already.
    pub(crate) async fn changed_beyond(&mut self, version: i64) -> Result<i64, Stopping> {
        let known = self.version.wait_for(|known| *known > version).await;
        known.map(|known| *known).map_err(|_closed| Stopping)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.hub.leave(self.subject);
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::{
        hub::{WATCHERS, WATCHERS_OF_ONE},
        *,
    };

    const ID: Uuid = Uuid::from_u128(1);
    const INVOICE: Subject = Subject::invoice(ID);
    const OTHER: Subject = Subject::invoice(Uuid::from_u128(2));
    const TRANSACTION: Subject = Subject::transaction(ID);

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
        let watch = Watch::new();
        let [mut one, mut two, mut other] = [INVOICE, INVOICE, OTHER].map(|subject| watch.watch(subject).unwrap());
        watch.hub.note(Kind::Invoice, &[(ID, 3), (Uuid::from_u128(3), 9)]);
        assert_eq!(heard(&mut one, 2).await, Some(Ok(3)));
        assert_eq!(heard(&mut two, 3).await, None, "this one he has");
        assert_eq!(heard(&mut other, 0).await, None);
        watch.hub.note(Kind::Invoice, &[(ID, 2)]);
        assert_eq!(heard(&mut two, 2).await, Some(Ok(3)), "no version is taken back");
    }

    #[tokio::test]
    async fn things_of_two_kinds_are_two_things() {
        let watch = Watch::new();
        let [mut invoice, mut transaction] = [INVOICE, TRANSACTION].map(|subject| watch.watch(subject).unwrap());
        watch.hub.take_hinted();
        watch.hub.hint(TRANSACTION);
        assert_eq!(watch.hub.take_hinted(), [TRANSACTION]);
        watch.hub.note(Kind::Transaction, &[(ID, 3)]);
        assert_eq!(heard(&mut invoice, 2).await, None);
        assert_eq!(heard(&mut transaction, 2).await, Some(Ok(3)));
        drop(transaction);
        assert_eq!(watch.hub.take_all(), [INVOICE]);
    }

    #[tokio::test]
    async fn a_waiter_is_woken() {
        let watch = Watch::new();
        let mut watching = watch.watch(INVOICE).unwrap();
        let waiting = tokio::spawn(async move { watching.changed_beyond(1).await });
        tokio::task::yield_now().await;
        watch.hub.note(Kind::Invoice, &[(ID, 2)]);
        assert_eq!(waiting.await.unwrap(), Ok(2));
    }

    #[test]
    fn what_may_have_changed_is_read_once() {
        let watch = Watch::new();
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
        let watch = Watch::new();
        let [one, two] = [INVOICE, INVOICE].map(|subject| watch.watch(subject).unwrap());
        drop(one);
        assert_eq!(watch.hub.take_all(), [INVOICE]);
        drop(two);
        assert!(watch.hub.take_all().is_empty());
    }

    #[test]
    fn no_more_may_wait_than_there_is_room_for() {
        let watch = Watch::new();
        let refused = |subject| watch.watch(subject).err().map(|problem| problem.code());
        let of_one: Vec<_> = (0..WATCHERS_OF_ONE).map(|_| watch.watch(INVOICE).unwrap()).collect();
        assert_eq!((refused(INVOICE), refused(TRANSACTION)), (Some("temporarily_unavailable"), None));
        let others = (2..).map(|id| watch.watch(Subject::transaction(Uuid::from_u128(id))));
        let others: Vec<_> = others.map_while(Result::ok).collect();
        assert_eq!(of_one.len() + others.len(), WATCHERS);
        assert_eq!(refused(OTHER), Some("temporarily_unavailable"));
        assert_eq!(watch.hub.take_all().len(), 1 + others.len(), "who is refused leaves nothing");
        drop(of_one);
        assert_eq!((refused(INVOICE), refused(OTHER)), (None, None));
    }

    #[tokio::test]
    async fn at_the_end_everybody_hears_it() {
        let watch = Watch::new();
        let mut early = watch.watch(INVOICE).unwrap();
        watch.hub.close();
        let mut late = watch.watch(INVOICE).unwrap();
        assert_eq!(heard(&mut early, 0).await, Some(Err(Stopping)));
        assert_eq!(heard(&mut late, 0).await, Some(Err(Stopping)));
        watch.hub.hint(INVOICE);
        watch.hub.note(Kind::Invoice, &[(ID, 1)]);
        assert!(watch.hub.take_all().is_empty() && watch.hub.take_hinted().is_empty());
    }
}
