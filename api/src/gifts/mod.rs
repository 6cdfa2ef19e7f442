//! Gifts over HTTP: one endpoint a file. A PIN is judged in here and goes no further.

mod admission;
mod body;
mod path;
mod pin;
mod policy;
mod refusal;
pub(crate) mod use_gift;
pub(crate) mod void;

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
