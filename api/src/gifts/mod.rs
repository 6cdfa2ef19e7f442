//! Gifts over HTTP: one endpoint a file. A PIN is judged in here and goes no further.

mod admission;
mod body;
mod path;
mod pin;
mod policy;
mod refusal;
pub(crate) mod use_gift;
pub(crate) mod void;

use temporalio_client::{WorkflowIdConflictPolicy, WorkflowUpdateWithStartOptions};
use temporalio_common::search_attributes::SearchAttributes;
use uuid::Uuid;
use workflows::{
    attributes::{BUSINESS_KEY, GIFT_ID},
    gifts::TASK_QUEUE,
};

pub(crate) use pin::{PinHasher, PinSettings, is_pin};
pub(crate) use policy::GiftSettings;

use crate::{
    problem::{Problem, kinds},
    state::Services,
};
use pin::Pins;

/// What the routes of gifts need beside the rest.
pub(crate) struct Gifts {
    settings: GiftSettings,
    pins: Pins,
}

impl Gifts {
    /// Reads the pepper and hashes one PIN; calls nobody.
    pub(crate) fn new(settings: GiftSettings) -> anyhow::Result<Self> {
        Ok(Self { pins: settings.pins()?, settings })
    }
}

impl Services {
    /// What the routes of gifts need, where they are served.
    fn gifts(&self) -> Result<&Gifts, Problem> {
        self.gifts.as_ref().ok_or_else(|| Problem::new(kinds::NOT_FOUND, "gifts are not served here"))
    }
}

/// What a run is about: a gift at a supplier, and what is done with it.
struct Subject<'a> {
    /// Of what is done.
    id: Uuid,
    gift_id: &'a str,
    supplier_code: &'a str,
}

impl Subject<'_> {
    /// How the run begins, and what operators see of it.
    fn options(&self, workflow_id: String, update_id: &str) -> WorkflowUpdateWithStartOptions {
        let Self { id, gift_id, supplier_code } = *self;
        let attributes =
            SearchAttributes::new([BUSINESS_KEY.value_set(id.to_string()), GIFT_ID.value_set(gift_id.to_owned())]);
        WorkflowUpdateWithStartOptions::new(TASK_QUEUE, workflow_id, WorkflowIdConflictPolicy::UseExisting)
            .update_id(update_id.to_owned())
            .static_summary(format!("{gift_id} at {supplier_code}"))
            .search_attributes(attributes)
            .build()
    }
}
