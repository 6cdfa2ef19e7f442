#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

mod alarms;
mod attempt;
mod check;
mod course;
mod entries;
mod facts;
mod holder;
mod journal;
mod posted;
mod report;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use store::postgres::{Database, StoreError};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::{
    contracts::vending::{
        AwaitLateEndActivity, CheckMachine, CheckMachineActivity, DISCONNECTED, JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE,
        RunSale, RunSaleActivity, STOPPING, Sold,
    },
    fridge_sales::MachineState,
};

pub(crate) use self::posted::posted;

use self::holder::Lost;
use crate::{alerts::Operators, clients::vendron::Vendron, failure::Failing};

/// Until another attempt takes over a sale that is under way: its door may be open, and nobody listens.
const HANDOVER: Duration = Duration::from_millis(100);

/// The smart fridges at Vendron, and the journal of what is heard of them.
pub struct VendingActivities {
    /// Vendron.
    pub vendron: Vendron,
    /// Where the journal is.
    pub database: Database,
    /// Who is told of doors that stay open.
    pub operators: Operators,
}

/// Why an attempt at a sale ends before the sale does.
#[derive(Debug, thiserror::Error)]
enum VendingError {
    /// Temporal or this worker wants it to.
    #[error("this attempt has to end")]
    Stopping,
    /// There is no websocket.
    #[error("there is no websocket")]
    Disconnected {
        /// What it ended with.
        source: Lost,
        /// There was one, and something came through it.
        was_heard: bool,
    },
    /// The journal says no.
    #[error("the journal cannot be kept")]
    Journal(#[from] StoreError),
}

#[activities]
impl VendingActivities {
    /// Holds the websocket of a sale, from the request to the final list.
    #[activity(definition = RunSaleActivity)]
    pub async fn run_sale(self: Arc<Self>, context: ActivityContext, run: RunSale) -> Result<Sold, ActivityError> {
        // A sale lasts, and most of what it needs is needed later.
        answered(Box::pin(attempt::run_sale(&self, &context, &run)).await)
    }

    /// Listens for the late end of a sale.
    #[activity(definition = AwaitLateEndActivity)]
    pub async fn await_late_end(
        self: Arc<Self>,
        context: ActivityContext,
        run: RunSale,
    ) -> Result<Sold, ActivityError> {
        answered(Box::pin(attempt::await_late_end(&self, &context, &run)).await)
    }

    /// Asks how a machine is.
    #[activity(definition = CheckMachineActivity)]
    pub async fn check_machine(
        self: Arc<Self>,
        _: ActivityContext,
        machine: CheckMachine,
    ) -> Result<MachineState, ActivityError> {
        Ok(check::check(&self.vendron, &machine).await)
    }
}

/// Every end of an attempt is taken over by the next one, except where the journal contradicts itself.
fn answered<T>(result: Result<T, VendingError>) -> Result<T, ActivityError> {
    match result {
        Err(error @ VendingError::Stopping) => Err(error).retryable_after(HANDOVER, STOPPING),
        Err(error @ VendingError::Disconnected { was_heard: true, .. }) => {
            Err(error).retryable_after(HANDOVER, DISCONNECTED)
        }
        Err(error @ VendingError::Disconnected { .. }) => Err(error).retryable(DISCONNECTED),
        Err(VendingError::Journal(error)) if !error.is_retryable() => Err(error).terminal(JOURNAL_CORRUPT),
        other => other.retryable(JOURNAL_UNAVAILABLE),
    }
}
