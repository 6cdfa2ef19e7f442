//! What the clients were told, and so may rely on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use system_tests::Answer;
use uuid::Uuid;

use crate::violation::Surprises;

/// An invoice whose creation was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Which of the merchants has it.
    pub(super) merchant: usize,
    pub(super) asked: Asked,
    /// The body of the 201.
    pub(super) answer: Value,
    /// The invoice in it.
    pub(super) created: Value,
    /// Whether its deadline passes before the check.
    pub(super) is_short: bool,
    pub(super) cancellation: Option<Cancellation>,
    /// Whether the merchant accepted all that came late.
    pub(super) is_accepted_late: bool,
    /// The highest version that a reader was shown.
    pub(super) version_read: i64,
}

/// How an invoice was asked for: by its merchant, or by a buyer through a form.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) key: String,
    pub(super) request: Value,
}

/// A cancellation that was answered for good.
#[derive(Debug, Clone)]
pub(super) struct Cancellation {
    pub(super) key: String,
    pub(super) answer: Answer,
}

impl Known {
    pub(super) fn text(&self, field: &str) -> &str {
        self.created[field].as_str().unwrap_or_default()
    }

    pub(super) fn was_cancelled(&self) -> bool {
        self.cancellation.as_ref().is_some_and(|cancellation| cancellation.answer.status.is_success())
    }
}

#[derive(Default)]
pub(super) struct Memory {
    invoices: Mutex<BTreeMap<Uuid, Known>>,
    surprises: Surprises,
}

impl Memory {
    pub(super) fn remember(&self, invoice_id: Uuid, known: Known) {
        self.lock().insert(invoice_id, known);
    }

    pub(super) fn change(&self, invoice_id: Uuid, change: impl FnOnce(&mut Known)) {
        self.lock().entry(invoice_id).and_modify(change);
    }

    /// A copy of everything that is known.
    pub(super) fn invoices(&self) -> BTreeMap<Uuid, Known> {
        self.lock().clone()
    }

    /// Notes an answer that should not have been given.
    pub(super) fn note(&self, sentence: String) {
        self.surprises.note(sentence);
    }

    pub(super) const fn surprises(&self) -> &Surprises {
        &self.surprises
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Known>> {
        self.invoices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
