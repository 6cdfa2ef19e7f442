//! What tills were told, and so may rely on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use reqwest::StatusCode;
use system_tests::Answer;
use uuid::Uuid;

use super::Side;

/// A request that was answered for good.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Of which client.
    pub(super) corner: usize,
    /// By which of its tills.
    pub(super) side: Side,
    pub(super) action: Action,
    pub(super) key: String,
    /// What the answer has to be about, by its key.
    pub(super) id: Uuid,
    pub(super) answer: Answer,
}

/// What a till asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Use,
    Void,
}

impl Step {
    /// What came of it, in the words of the rows.
    pub(super) fn outcome(&self) -> &str {
        outcome(self.action, &self.answer)
    }
}

/// What came of a request, in the words of the rows; of one that went wrong nothing that a row could say.
pub(super) fn outcome(action: Action, answer: &Answer) -> &str {
    match action {
        _ if answer.status != StatusCode::OK => answer.body["code"].as_str().unwrap_or_default(),
        Action::Use => "used",
        Action::Void => "voided",
    }
}

#[derive(Default)]
pub(super) struct Memory(Mutex<BTreeMap<String, Vec<Step>>>);

impl Memory {
    pub(super) fn remember(&self, gift_id: &str, step: Step) {
        self.lock().entry(gift_id.to_owned()).or_default().push(step);
    }

    /// A copy of what is known of one gift.
    pub(super) fn steps(&self, gift_id: &str) -> Vec<Step> {
        self.lock().get(gift_id).cloned().unwrap_or_default()
    }

    /// A copy of everything that is known, by gift.
    pub(super) fn gifts(&self) -> BTreeMap<String, Vec<Step>> {
        self.lock().clone()
    }

    /// How much was answered for good.
    pub(super) fn answers(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Step>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
