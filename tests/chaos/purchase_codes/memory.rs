//! What frontends and tills were told, and so may rely on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use reqwest::StatusCode;
use serde_json::Value;
use system_tests::{Answer, Loan, Purchase};
use uuid::Uuid;

/// A purchase that was asked for and answered for good.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Which of the frontends asked.
    pub(super) frontend: usize,
    pub(super) key: String,
    pub(super) loan: Loan,
    pub(super) request: Value,
    pub(super) answer: Answer,
    pub(super) scans: Vec<Scan>,
}

/// A scan that was answered for good.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    /// Which of the tills scanned.
    pub(super) till: usize,
    pub(super) key: String,
    pub(super) answer: Answer,
}

impl Known {
    pub(super) fn is_issued(&self) -> bool {
        self.answer.status == StatusCode::CREATED
    }

    /// How many of the scans were told that they are the use.
    pub(super) fn uses(&self) -> usize {
        self.scans.iter().filter(|scan| scan.answer.status == StatusCode::OK).count()
    }

    pub(super) fn is_used(&self) -> bool {
        self.uses() > 0
    }

    /// The purchase, if its code was issued.
    pub(super) fn purchase(&self, id: Uuid) -> Option<Purchase> {
        let details = self.answer.body.clone();
        self.is_issued().then(|| Purchase { id, loan: self.loan.clone(), details })
    }
}

#[derive(Default)]
pub(super) struct Memory(Mutex<BTreeMap<Uuid, Known>>);

impl Memory {
    pub(super) fn remember(&self, purchase_id: Uuid, known: Known) {
        self.lock().insert(purchase_id, known);
    }

    pub(super) fn change(&self, purchase_id: Uuid, change: impl FnOnce(&mut Known)) {
        self.lock().entry(purchase_id).and_modify(change);
    }

    /// A copy of everything that is known.
    pub(super) fn purchases(&self) -> BTreeMap<Uuid, Known> {
        self.lock().clone()
    }

    /// How much was answered for good.
    pub(super) fn answers(&self) -> usize {
        self.lock().values().map(|known| 1 + known.scans.len()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
