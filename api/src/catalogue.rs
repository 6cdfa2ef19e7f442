//! The payment options in memory, for a short time, so that creating an invoice needs no query for them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use store::postgres::{Database, StoreError, catalogue::PaymentOption};

type Read = (Instant, Arc<[PaymentOption]>);

/// The payment options, read again when they are older than `keep`.
pub(crate) struct Catalogue {
    database: Database,
    keep: Duration,
    read: Mutex<Option<Read>>,
}

impl Catalogue {
    pub(crate) fn new(database: Database, keep: Duration) -> Self {
        Self { database, keep, read: Mutex::new(None) }
    }

    /// Every payment option. Nobody waits for somebody else's query: when the database is away, all hear so at once.
    pub(crate) async fn options(&self) -> Result<Arc<[PaymentOption]>, StoreError> {
        if let Some(options) = self.kept() {
            return Ok(options);
        }
        let options: Arc<[PaymentOption]> = self.database.list_payment_options().await?.into();
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&options)));
        Ok(options)
    }

    fn kept(&self) -> Option<Arc<[PaymentOption]>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().filter(|(at, _)| at.elapsed() < self.keep).map(|(_, options)| Arc::clone(options))
    }
}
