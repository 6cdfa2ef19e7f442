//! What frontends were told, and so may rely on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use reqwest::StatusCode;
use serde_json::Value;
use system_tests::Answer;
use uuid::Uuid;

use super::plots::{HALF_POSTED, Plot, UNTOLD_END};

/// What a sale goes through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    pub(super) plot: Plot,
    pub(super) trouble: Option<(&'static str, &'static str)>,
}

/// A sale that was asked for and answered for good.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Which of the fridges.
    pub(super) fridge: usize,
    pub(super) key: String,
    pub(super) request: Value,
    pub(super) answer: Answer,
    pub(super) course: Course,
    /// Its last status, once a reader was shown that it has ended.
    pub(super) ended: Option<String>,
}

impl Course {
    /// Whether Vendron may keep the end to itself.
    pub(super) fn may_miss_its_end(&self) -> bool {
        !self.plot.is_told() || self.trouble == Some(UNTOLD_END)
    }

    /// Whether an end that is posted may leave the sale to a person: half of it says nothing, and that nothing was
    /// bought contradicts what was seen, where it was not heard that all of it was put back.
    pub(super) fn may_be_posted_in_vain(&self) -> bool {
        self.plot == Plot::PutBack || self.trouble == Some(HALF_POSTED)
    }
}

impl Known {
    pub(super) fn was_opened(&self) -> bool {
        self.answer.status == StatusCode::CREATED
    }

    /// Whether another answer under the same key says something else of the same sale.
    pub(super) fn is_contradicted_by(&self, again: &Answer) -> bool {
        let first = &self.answer;
        let is_other = again.body["ref"] != first.body["ref"] || again.status.is_success() != first.status.is_success();
        is_other || (!first.status.is_success() && again.body["code"] != first.body["code"])
    }
}

#[derive(Default)]
pub(super) struct Memory(Mutex<BTreeMap<Uuid, Known>>);

impl Memory {
    pub(super) fn remember(&self, sale_ref: Uuid, known: Known) {
        self.lock().insert(sale_ref, known);
    }

    pub(super) fn change(&self, sale_ref: Uuid, change: impl FnOnce(&mut Known)) {
        self.lock().entry(sale_ref).and_modify(change);
    }

    /// A copy of everything that is known.
    pub(super) fn sales(&self) -> BTreeMap<Uuid, Known> {
        self.lock().clone()
    }

    /// How much was answered, and came to its end.
    pub(super) fn work_done(&self) -> usize {
        self.lock().values().map(|known| 1 + usize::from(known.ended.is_some())).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
