//! A journal in memory, by the same rules, that can be away.

use std::sync::{Arc, Mutex, PoisonError};

use store::postgres::{
    StoreError,
    fridges::{Entry, Journalled},
};
use tokio::sync::watch;
use uuid::Uuid;
use workflows::fridge_sales::{
    SaleState,
    transition::{Fact, transition},
};

use super::SALE;
use crate::vending::{course::Intent, entries::Entries, journal::Rows};

#[derive(Clone)]
pub(super) struct Memory {
    kept: Arc<Mutex<Kept>>,
    here: Arc<watch::Sender<bool>>,
}

struct Kept {
    state: SaleState,
    entries: Vec<Entry>,
}

impl Memory {
    /// The journal of a sale of which this is known.
    pub(super) fn of(facts: &[Fact]) -> Self {
        let kept = Kept { state: SaleState::new(), entries: Vec::new() };
        let memory = Self { kept: Arc::new(Mutex::new(kept)), here: Arc::new(watch::Sender::new(true)) };
        let entries = Entries::new(SALE, Uuid::nil());
        for fact in facts {
            let intent = Intent::of(fact).map(|intent| entries.intent(intent));
            memory.keep(&intent.unwrap_or_else(|| entries.noted(fact.clone())));
        }
        memory
    }

    /// Nobody is answered any more.
    pub(super) fn leave(&self) {
        self.here.send_replace(false);
    }

    /// Everybody is.
    pub(super) fn come_back(&self) {
        self.here.send_replace(true);
    }

    /// What is known of the sale.
    pub(super) fn now(&self) -> SaleState {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).state.clone()
    }

    /// The names of everything that is in the journal, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.iter().map(|entry| entry.name.clone()).collect()
    }

    fn keep(&self, entry: &Entry) -> Journalled {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = kept.entries.iter().all(|known| known.event_id != entry.event_id);
        if is_new {
            kept.entries.push(entry.clone());
            if let Some(fact) = &entry.fact {
                kept.state = transition(&kept.state, fact, entry.at);
            }
        }
        Journalled { state: kept.state.clone(), is_new }
    }

    async fn is_here(&self) {
        self.here.subscribe().wait_for(|here| *here).await.unwrap();
    }
}

impl Rows for Memory {
    async fn add(&self, entry: &Entry) -> Result<Journalled, StoreError> {
        self.is_here().await;
        Ok(self.keep(entry))
    }

    async fn state(&self, _: Uuid) -> Result<SaleState, StoreError> {
        self.is_here().await;
        Ok(self.now())
    }
}
