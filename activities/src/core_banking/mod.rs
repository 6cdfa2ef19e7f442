#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

mod disbursement;
mod loan;
mod reversal;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::timeout;
use workflows::contracts::core_banking::{
    Disburse, DisburseActivity, DisburseResult, Loan, MISCONFIGURED, ReadLoan, ReadLoanActivity, Reverse,
    ReverseActivity, ReverseResult, UNAVAILABLE,
};

use crate::{
    clients::mambu::{Mambu, MambuError},
    failure::Failing,
};

/// Loans at Mambu.
pub struct CoreBankingActivities {
    /// Mambu.
    pub mambu: Mambu,
}

#[activities]
impl CoreBankingActivities {
    /// Reads a loan and whose it is.
    #[activity(definition = ReadLoanActivity)]
    pub async fn read_loan(self: Arc<Self>, _: ActivityContext, read: ReadLoan) -> Result<Option<Loan>, ActivityError> {
        let loan = loan::read(&self.mambu, &read).await;
        if read.tried_for.is_some() { commanded(loan) } else { asked(loan) }
    }

    /// Disburses a loan once.
    #[activity(definition = DisburseActivity)]
    pub async fn disburse(
        self: Arc<Self>,
        context: ActivityContext,
        disburse: Disburse,
    ) -> Result<DisburseResult, ActivityError> {
        let was_tried = disburse.was_tried || was_tried(&context);
        let once = disbursement::once(&self.mambu, &disburse, was_tried);
        commanded(in_time(&context, "disbursing a loan", once).await)
    }

    /// Reverses a disbursement once.
    #[activity(definition = ReverseActivity)]
    pub async fn reverse(
        self: Arc<Self>,
        context: ActivityContext,
        reverse: Reverse,
    ) -> Result<ReverseResult, ActivityError> {
        let once = reversal::once(&self.mambu, &reverse, was_tried(&context));
        commanded(in_time(&context, "adjusting a transaction", once).await)
    }
}

/// An attempt before this one may have reached Mambu.
fn was_tried(context: &ActivityContext) -> bool {
    context.info().attempt > 1
}

/// An attempt that Temporal has given up sends nothing any more: the next one may have found its answer already.
async fn in_time<T>(
    context: &ActivityContext,
    operation: &'static str,
    work: impl Future<Output = Result<T, MambuError>>,
) -> Result<T, MambuError> {
    let info = context.info();
    let bounds = info.deadline.zip(info.started_time);
    // By how long it is and not by when it ends: clocks differ.
    let left = bounds.and_then(|(deadline, started)| deadline.duration_since(started).ok()).unwrap_or(Duration::MAX);
    timeout(left, work).await.unwrap_or_else(|_| Err(MambuError::out_of_time(operation)))
}

/// Nothing has moved: what an operator has to mend need not be asked again.
fn asked<T>(result: Result<T, MambuError>) -> Result<T, ActivityError> {
    match result {
        Err(error) if error.is_for_an_operator() => Err(error).terminal(MISCONFIGURED),
        other => other.retryable(UNAVAILABLE),
    }
}

/// Money may have moved, now or in an attempt before: nothing ends this but an answer.
fn commanded<T>(result: Result<T, MambuError>) -> Result<T, ActivityError> {
    match result {
        Err(error) if error.is_for_an_operator() => Err(error).retryable(MISCONFIGURED),
        other => other.retryable(UNAVAILABLE),
    }
}
