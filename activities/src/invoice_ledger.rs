#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::sync::Arc;

use store::postgres::{Database, StoreError};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::{
    contracts::invoice_ledger::{
        AcceptLate, AcceptLateActivity, Advance, AdvanceActivity, CORRUPT, CreateActivity, CreateInvoice, CreateResult,
        CreditMerchant, CreditMerchantActivity, FindActivity, FindInvoice, FoundInvoice, UNAVAILABLE,
    },
    invoices::{AcceptLateReply, Standing},
};

use crate::failure::Failing;

/// The invoices in our own database.
pub struct InvoiceLedgerActivities {
    /// Where they are.
    pub database: Database,
}

#[activities]
impl InvoiceLedgerActivities {
    /// Creates the invoice, or finds it.
    #[activity(definition = CreateActivity)]
    pub async fn create(
        self: Arc<Self>,
        _: ActivityContext,
        create: CreateInvoice,
    ) -> Result<CreateResult, ActivityError> {
        let (invoice_id, address) = (create.request.invoice_id, create.address.clone());
        let created = answered(self.database.create_invoice(create).await)?;
        if let CreateResult::AddressTaken = created {
            tracing::error!(%invoice_id, address, "invoice.address_is_anothers");
        }
        Ok(created)
    }

    /// Finds the invoice, if there is one.
    #[activity(definition = FindActivity)]
    pub async fn find(
        self: Arc<Self>,
        _: ActivityContext,
        find: FindInvoice,
    ) -> Result<Option<FoundInvoice>, ActivityError> {
        answered(self.database.find_created_invoice(&find).await)
    }

    /// Applies what the deposits and the time say.
    #[activity(definition = AdvanceActivity)]
    pub async fn advance(self: Arc<Self>, _: ActivityContext, advance: Advance) -> Result<Standing, ActivityError> {
        answered(self.database.advance_invoice(&advance).await)
    }

    /// Lets late money count as in time, or says why not.
    #[activity(definition = AcceptLateActivity)]
    pub async fn accept_late(
        self: Arc<Self>,
        _: ActivityContext,
        accept: AcceptLate,
    ) -> Result<AcceptLateReply, ActivityError> {
        answered(self.database.accept_late(&accept).await)
    }

    /// Records the merchant's credit.
    #[activity(definition = CreditMerchantActivity)]
    pub async fn credit_merchant(
        self: Arc<Self>,
        _: ActivityContext,
        credit: CreditMerchant,
    ) -> Result<Standing, ActivityError> {
        answered(self.database.credit_merchant(&credit).await)
    }
}

/// The database may come back; rows that contradict themselves do not mend.
fn answered<T>(result: Result<T, StoreError>) -> Result<T, ActivityError> {
    match result {
        Err(error) if !error.is_retryable() => Err(error).terminal(CORRUPT),
        other => other.retryable(UNAVAILABLE),
    }
}
