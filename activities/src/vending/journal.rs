//! The queue in front of the journal: what was heard is written in its order, however long the database is away.

use std::{
    collections::VecDeque,
    error::Error,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use store::postgres::{
    Database, StoreError,
    fridges::{Entry, Journalled},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use uuid::Uuid;
use workflows::fridge_sales::SaleState;

use super::{alarms::OpenDoor, course::Intent, entries::Carried};

/// A database that hangs is away.
const CALL: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);
/// A sale says less in a day. Beyond it nothing is read, until the database is back.
const ROOM: usize = 1_000;
/// What a heartbeat carries of it, at most: Temporal takes two megabytes.
const CARRIED: usize = 256 << 10;

/// Where sales are kept.
pub(super) trait Rows: Clone + Send + Sync + 'static {
    /// Adds an entry; one that is known changes nothing.
    fn add(&self, entry: &Entry) -> impl Future<Output = Result<Journalled, StoreError>> + Send;
    /// What is known of a sale.
    fn state(&self, sale_ref: Uuid) -> impl Future<Output = Result<SaleState, StoreError>> + Send;
}

impl Rows for Database {
    async fn add(&self, entry: &Entry) -> Result<Journalled, StoreError> {
        self.journal(entry).await
    }

    async fn state(&self, sale_ref: Uuid) -> Result<SaleState, StoreError> {
        self.find_sale_state(sale_ref).await
    }
}

/// The entries that are not in the journal yet.
#[derive(Clone, Default)]
pub(super) struct Unwritten(Arc<Mutex<VecDeque<Entry>>>);

/// The journal of one sale, and what waits to get into it.
pub(super) struct Journal<R> {
    rows: R,
    unwritten: Unwritten,
    /// The first of them, on its way. It outlives whoever waits for it.
    writing: Option<BoxFuture<'static, Result<Journalled, StoreError>>>,
    door: watch::Sender<Option<OpenDoor>>,
}

/// An entry that is in the journal now.
#[derive(Debug)]
pub(super) struct Written {
    /// The command whose intent it is, if this was the first time that it was committed.
    pub(super) intent: Option<Intent>,
    /// The sale with it.
    pub(super) state: SaleState,
}

impl Unwritten {
    /// What an attempt before this one had heard and could not write.
    pub(super) fn carried(frames: Vec<Carried>, sale_ref: Uuid) -> Self {
        let entries = frames.into_iter().map(|frame| frame.entry(sale_ref)).collect();
        Self(Arc::new(Mutex::new(entries)))
    }

    /// What the next attempt has to know if this one dies: as many of the latest facts as fit, in their order.
    pub(super) fn to_carry(&self) -> Vec<Carried> {
        let mut room = CARRIED;
        let entries = self.lock();
        let latest = entries.iter().rev().filter_map(Carried::of);
        let mut fitting: Vec<_> = latest
            .map_while(|frame| {
                room = room.checked_sub(serde_json::to_vec(&frame).ok()?.len())?;
                Some(frame)
            })
            .collect();
        fitting.reverse();
        fitting
    }

    fn first(&self) -> Option<Entry> {
        self.lock().front().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Rows> Journal<R> {
    pub(super) fn new(rows: R, unwritten: Unwritten) -> Self {
        Self { rows, unwritten, writing: None, door: watch::Sender::new(None) }
    }

    /// What everybody hears of the door who has to.
    pub(super) fn door(&self) -> watch::Receiver<Option<OpenDoor>> {
        self.door.subscribe()
    }

    /// Takes an entry, to be written after those before it.
    pub(super) fn push(&self, entry: Entry) {
        self.unwritten.lock().push_back(entry);
    }

    /// Whether everything is written.
    pub(super) fn is_idle(&self) -> bool {
        self.unwritten.lock().is_empty()
    }

    /// Whether it takes more.
    pub(super) fn has_room(&self) -> bool {
        self.unwritten.lock().len() < ROOM
    }

    /// What is known of a sale, as soon as the database answers.
    pub(super) async fn state(&mut self, sale_ref: Uuid) -> Result<SaleState, StoreError> {
        loop {
            if let Some(found) = answered(self.rows.state(sale_ref)).await {
                return found.inspect(|state| self.tell_of_door(state));
            }
            sleep(PAUSE).await;
        }
    }

    /// The next entry that gets into the journal. Cancel-safe: what is on its way goes on when this is called again.
    pub(super) async fn written(&mut self) -> Result<Written, StoreError> {
        if self.writing.is_none() {
            self.writing = self.unwritten.first().map(|entry| write(self.rows.clone(), entry).boxed());
        }
        let Some(writing) = &mut self.writing else {
            return pending().await;
        };
        let journalled = writing.await;
        self.writing = None;
        let journalled = journalled?;
        let entry = self.unwritten.lock().pop_front();
        self.tell_of_door(&journalled.state);
        let intent = entry.and_then(|entry| entry.fact.as_ref().and_then(Intent::of));
        Ok(Written { intent: intent.filter(|_| journalled.is_new), state: journalled.state })
    }

    /// Writes what was heard, for at most `patience`. An intent that is not committed yet is given up: nobody sends it.
    pub(super) async fn drain(&mut self, patience: Duration) {
        self.give_up_intent();
        let draining = timeout(patience, async {
            while !self.is_idle() {
                self.written().await?;
            }
            Ok::<_, StoreError>(())
        });
        match draining.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn Error, "what was heard of a sale cannot be written");
            }
            Err(_) => tracing::warn!("what was heard of a sale waits for the next attempt"),
        }
    }

    /// What is not written yet may be that the door is closed.
    fn tell_of_door(&self, state: &SaleState) {
        if !self.is_idle() {
            return;
        }
        self.door.send_if_modified(|known| {
            let open = OpenDoor::of(state);
            std::mem::replace(known, open) != open
        });
    }

    fn give_up_intent(&mut self) {
        let mut entries = self.unwritten.lock();
        let first = entries.front().and_then(|entry| entry.fact.as_ref());
        if first.is_some_and(|fact| Intent::of(fact).is_some()) {
            entries.pop_front();
            self.writing = None;
        }
    }
}

/// Writes one entry, however long that takes. One that the database takes in no form but the shortest is kept in that.
async fn write<R: Rows>(rows: R, mut entry: Entry) -> Result<Journalled, StoreError> {
    loop {
        let answer = answered(rows.add(&entry)).await;
        match answer {
            Some(Err(error)) if error.is_retryable() => {
                let event_id = entry.event_id;
                tracing::error!(error = &error as &dyn Error, %event_id, "an entry is refused: next without its texts");
                entry = Entry { message: String::new(), raw: String::new(), status: None, ..entry };
            }
            Some(answer) => return answer,
            None => {}
        }
        sleep(PAUSE).await;
    }
}

/// What the database says; none while it is away.
async fn answered<T>(call: impl Future<Output = Result<T, StoreError>>) -> Option<Result<T, StoreError>> {
    let away: Box<dyn Error> = match timeout(CALL, call).await {
        Ok(Err(error)) if error.is_outage() => Box::new(error),
        Ok(answer) => return Some(answer),
        Err(elapsed) => Box::new(elapsed),
    };
    tracing::warn!(error = &*away, "the journal waits for the database");
    None
}
