//! The invoices in our own database.

use std::convert::Infallible;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;
use uuid::Uuid;

use crate::invoices::{
    AcceptLateReply, AcceptLateRequest, CancelRequest, InvoicePolicy, InvoiceRequest, OpenReply, Standing,
};

/// The database does not answer.
pub const UNAVAILABLE: &str = "invoice_ledger.unavailable";
/// The rows contradict the request: a bug.
pub const CORRUPT: &str = "invoice_ledger.corrupt";

/// Creates an invoice on an address of the merchant's pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateInvoice {
    /// What to create.
    pub request: InvoiceRequest,
    /// Every duration and threshold, kept with the invoice.
    pub policy: InvoicePolicy,
    /// A new address, when the pool had none; it is saved and claimed without another search.
    pub address: Option<String>,
    /// The workflow's time: the invoice begins here.
    pub now: DateTime<Utc>,
}

/// What became of a creation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on its way to be written as JSON")]
pub enum CreateResult {
    /// The answer to the caller, and where the invoice stands if there is one now.
    Answered {
        /// For whoever asked.
        reply: OpenReply,
        /// None when nothing was created.
        standing: Option<Standing>,
    },
    /// The merchant has no free address on this network.
    NoFreeAddress,
    /// The new address is another merchant's, or serves another invoice.
    AddressTaken,
}

/// Brings an invoice up to what its deposits and the time say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Advance {
    /// Which invoice.
    pub invoice_id: Uuid,
    /// What made the workflow look; recorded with the transition, once.
    pub cause: String,
    /// A cancellation to try, beside looking.
    pub cancel: Option<CancelRequest>,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// Accepts what came late.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AcceptLate {
    /// Which invoice.
    pub invoice_id: Uuid,
    /// Who accepts, and why.
    pub request: AcceptLateRequest,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// Records the merchant's credit of an accepted invoice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreditMerchant {
    /// Which invoice.
    pub invoice_id: Uuid,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// Looks for an invoice whose caller may have been answered although its run does not know of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindInvoice {
    /// Which invoice.
    pub invoice_id: Uuid,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// An invoice that was there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FoundInvoice {
    /// What its caller was answered.
    pub reply: OpenReply,
    /// Where it stands.
    pub standing: Standing,
}

/// The invoices in our own database.
pub struct InvoiceLedger;

#[activity_definitions]
impl InvoiceLedger {
    /// Creates the invoice, or finds it when it exists already.
    #[activity(name = "invoice_ledger.create")]
    pub fn create(_: CreateInvoice) -> Result<CreateResult, Infallible> {
        unimplemented!()
    }

    /// Finds the invoice, if there is one.
    #[activity(name = "invoice_ledger.find")]
    pub fn find(_: FindInvoice) -> Result<Option<FoundInvoice>, Infallible> {
        unimplemented!()
    }

    /// Reads the rows, applies the transition and tells where the invoice stands.
    #[activity(name = "invoice_ledger.advance")]
    pub fn advance(_: Advance) -> Result<Standing, Infallible> {
        unimplemented!()
    }

    /// Lets late money count as in time, and credits at once what a finished invoice has got since; or says why not.
    #[activity(name = "invoice_ledger.accept_late")]
    pub fn accept_late(_: AcceptLate) -> Result<AcceptLateReply, Infallible> {
        unimplemented!()
    }

    /// One credit per confirmed deposit output; the invoice becomes `finished`.
    #[activity(name = "invoice_ledger.credit_merchant")]
    pub fn credit_merchant(_: CreditMerchant) -> Result<Standing, Infallible> {
        unimplemented!()
    }
}

pub use invoice_ledger::{
    AcceptLate as AcceptLateActivity, Advance as AdvanceActivity, Create as CreateActivity,
    CreditMerchant as CreditMerchantActivity, Find as FindActivity,
};
