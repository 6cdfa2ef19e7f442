#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::sync::Arc;

use store::postgres::{Database, StoreError, deposits::Recorded};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::contracts::{
    addresses::{CreateActivity, CreateAddress, LastLook, LastLookActivity, REFUSED, UNAVAILABLE},
    invoice_ledger,
};

use crate::{
    clients::addresses::{AddressService, AddressServiceError},
    failure::Failing,
};

/// Deposit addresses and what the chains know of them.
pub struct AddressesActivities {
    /// The address service.
    pub service: AddressService,
    /// Where observations are kept.
    pub database: Database,
}

#[activities]
impl AddressesActivities {
    /// Makes an address.
    #[activity(definition = CreateActivity)]
    pub async fn create(self: Arc<Self>, _: ActivityContext, create: CreateAddress) -> Result<String, ActivityError> {
        let made = self.service.create(create.merchant_id, &create.network_id, &create.key).await;
        answered(made)
    }

    /// Keeps what the service knows of an invoice's deposits.
    #[activity(definition = LastLookActivity)]
    pub async fn last_look(self: Arc<Self>, _: ActivityContext, look: LastLook) -> Result<(), ActivityError> {
        let Some((network_id, address, since)) = stored(self.database.find_invoice_address(look.invoice_id).await)?
        else {
            return Ok(());
        };
        let mut failed = Ok(());
        for observation in answered(self.service.deposits(&network_id, &address, since).await)? {
            match self.database.record_observation(&observation).await {
                Ok(Recorded::Rejected(reason)) => {
                    tracing::warn!(
                        tx_id = observation.tx_id,
                        reason,
                        "the address service reports what cannot be kept"
                    );
                }
                Ok(_) => {}
                // One that the database does not take keeps no other one back.
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        stored(failed)
    }
}

/// A refusal stays a refusal; anything else may pass.
fn answered<T>(result: Result<T, AddressServiceError>) -> Result<T, ActivityError> {
    match result {
        Err(error @ AddressServiceError::Refused { .. }) => Err(error).terminal(REFUSED),
        other => other.retryable(UNAVAILABLE),
    }
}

fn stored<T>(result: Result<T, StoreError>) -> Result<T, ActivityError> {
    result.retryable(invoice_ledger::UNAVAILABLE)
}
