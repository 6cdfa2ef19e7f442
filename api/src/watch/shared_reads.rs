//! What is read by those who were told of a change. All who wait for the same thing are told at once, a thousand of them
//! perhaps: those who are at the same place share one read, and only so many read at a time, so that everybody else still
//! finds a connection.
//!
//! Sharing is safe because every key names a version that is in the database already. Nothing is read for it that is older
//! than what the reader was told of, a log only grows at its end, and who gets the older of two answers is told again.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use store::postgres::{Database, fridges::Transaction, invoices::Invoice};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::{subject::Subject, wait::Watched};
use crate::problem::Problem;

/// Reads at a time, of the ten connections that a process usually has.
const AT_ONCE: usize = 4;
/// How long an answer is kept for those who were told at the same moment.
const KEPT: Duration = Duration::from_secs(1);
/// Answers of a kind that are kept at most: that many things change within a second.
const MOST: u64 = 256;

/// An event as streams tell it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Its number.
    pub(crate) sequence: i64,
    /// What it says, as JSON.
    pub(crate) data: String,
}

/// Events that follow each other.
pub(crate) type Page = Arc<[Told]>;

/// The reads of those who were told.
pub(crate) struct SharedReads {
    places: Semaphore,
    pub(crate) invoices: Answers<Arc<Invoice>>,
    /// Of an invoice's log, by the last event that its readers have.
    pub(crate) invoice_events: Answers<Page>,
    pub(crate) transactions: Answers<Arc<Transaction>>,
}

/// What was read a moment ago, by whose it is and the version that its readers knew of.
pub(crate) struct Answers<T>(Cache<(Uuid, i64), T>);

impl SharedReads {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(AT_ONCE),
            invoices: Answers::new(),
            invoice_events: Answers::new(),
            transactions: Answers::new(),
        }
    }

    /// Something that is known to have at least `version`.
    pub(super) async fn again<T: Watched>(
        &self,
        database: &Database,
        subject: Subject,
        version: i64,
    ) -> Result<T, Problem> {
        let read = async {
            let _place = self.place().await?;
            let found = T::find(database, subject.id).await?;
            found.map(Arc::new).ok_or_else(|| Problem::not_found(subject.kind.name()))
        };
        let found = T::answers(self).share((subject.id, version), read).await;
        found.map(Arc::unwrap_or_clone)
    }

    /// One of the places for those who read.
    pub(crate) async fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.places.acquire().await.map_err(Problem::unforeseen)
    }
}

impl<T: Clone + Send + Sync + 'static> Answers<T> {
    fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEPT).build())
    }

    /// What `read` finds, or what somebody else has just found for the same key.
    pub(crate) async fn share(
        &self,
        key: (Uuid, i64),
        read: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        self.0.try_get_with(key, read).await.map_err(Arc::unwrap_or_clone)
    }
}
