//! Deposit addresses and what the chains know of them, at the address service.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;
use uuid::Uuid;

/// The service answers, and says no: a retry cannot help.
pub const REFUSED: &str = "addresses.refused";
/// The service does not answer, or not in a way that can be read.
pub const UNAVAILABLE: &str = "addresses.unavailable";

/// Asks for a new address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateAddress {
    /// Merchant that the address will belong to.
    pub merchant_id: Uuid,
    /// Network of the address.
    pub network_id: String,
    /// Idempotency key towards the service.
    pub key: String,
}

/// Asks what the chain knows of an invoice's address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LastLook {
    /// Invoice whose address is looked at.
    pub invoice_id: Uuid,
}

/// The address service.
pub struct Addresses;

#[activity_definitions]
impl Addresses {
    /// Makes an address; the same key makes it once.
    #[activity(name = "addresses.create")]
    pub fn create(_: CreateAddress) -> Result<String, Infallible> {
        unimplemented!()
    }

    /// Stores what the service knows of an invoice's deposits, in the way of `POST /deposits`.
    #[activity(name = "addresses.last_look")]
    pub fn last_look(_: LastLook) -> Result<(), Infallible> {
        unimplemented!()
    }
}

pub use addresses::{Create as CreateActivity, LastLook as LastLookActivity};
