//! What is read by those who were told of a change. All who wait for the same invoice are told at once, a thousand of
//! them perhaps: those who are at the same place share one read, and only so many read at a time, so that everybody else
//! still finds a connection.
//!
//! Sharing is safe because every key names a version that is in the database already. Nothing is read for it that is older
//! than what the reader was told of, the log only grows at its end, and who gets the older of two answers is told again.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use store::postgres::{Database, invoices::Invoice};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::timeline::TimelineItem;
use crate::problem::Problem;

/// Reads at a time, of the ten connections that a process usually has.
const AT_ONCE: usize = 4;
/// How long an answer is kept for those who were told at the same moment.
const KEPT: Duration = Duration::from_secs(1);
/// Answers that are kept at most: that many invoices change within a second.
const MOST: u64 = 256;
/// Events of a page.
const PAGE: i64 = 100;

/// An event as streams tell it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Its number.
    pub(super) sequence: i64,
    /// What it says, as JSON.
    pub(super) data: String,
}

/// Events that follow each other.
pub(super) type Page = Arc<[Told]>;

/// Whether there may be more events after a page.
pub(super) fn goes_on(page: &[Told]) -> bool {
    i64::try_from(page.len()).is_ok_and(|events| events == PAGE)
}

/// The reads of those who were told.
pub(crate) struct SharedReads {
    places: Semaphore,
    invoices: Cache<(Uuid, i64), Arc<Invoice>>,
    pages: Cache<(Uuid, i64), Page>,
}

impl SharedReads {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(AT_ONCE),
            invoices: Cache::builder().max_capacity(MOST).time_to_live(KEPT).build(),
            pages: Cache::builder().max_capacity(MOST).time_to_live(KEPT).build(),
        }
    }

    /// An invoice that is known to have at least `version`.
    pub(super) async fn invoice(
        &self,
        database: &Database,
        invoice_id: Uuid,
        version: i64,
    ) -> Result<Invoice, Problem> {
        let read = async {
            let _place = self.place().await?;
            let invoice = database.find_invoice(invoice_id).await?;
            invoice.map(Arc::new).ok_or_else(|| Problem::not_found("invoice"))
        };
        let invoice = self.invoices.try_get_with((invoice_id, version), read).await;
        invoice.map(Arc::unwrap_or_clone).map_err(Arc::unwrap_or_clone)
    }

    /// The events of an invoice that come after `after`, of which there is one at least.
    pub(super) async fn next_events(
        &self,
        database: &Database,
        invoice: &Invoice,
        after: i64,
    ) -> Result<Page, Problem> {
        let read = async {
            let page = self.events(database, invoice, after).await?;
            let missing = || format!("the log of invoice {} ends at {after}, before its version", invoice.invoice_id);
            if page.is_empty() { Err(Problem::unforeseen(missing())) } else { Ok(page) }
        };
        let page = self.pages.try_get_with((invoice.invoice_id, after), read).await;
        page.map_err(Arc::unwrap_or_clone)
    }

    /// The events of an invoice that come after `after`, if there are any. Never shared: where there are none now, there
    /// may be one in the next moment.
    pub(super) async fn events(&self, database: &Database, invoice: &Invoice, after: i64) -> Result<Page, Problem> {
        let place = self.place().await?;
        let events = database.list_invoice_events(invoice.invoice_id, after, PAGE).await?;
        drop(place);
        events.into_iter().map(|event| told(&TimelineItem::new(invoice, event))).collect()
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.places.acquire().await.map_err(Problem::unforeseen)
    }
}

fn told(item: &TimelineItem) -> Result<Told, Problem> {
    let data = serde_json::to_string(item).map_err(Problem::unforeseen)?;
    Ok(Told { sequence: item.sequence, data })
}
