//! The crypto invoice: a merchant asks for an amount of a coin, an address awaits it until it is paid or expires.
//!
//! Source: `002` (API for users). The rules behind the statuses are in [`transition`].

mod ledger;
mod money;
mod policy;
#[cfg(test)]
mod samples;
mod sighting;
mod status;
pub mod transition;
mod workflow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use money::{Output, OutputState, Sums, confirmed, late};
pub use policy::{InvoicePolicy, InvoiceTerms};
pub use sighting::Sighting;
pub use status::{EDGES, InvoiceException, InvoiceStatus};
pub use workflow::InvoiceWorkflow;

use crate::domain::BaseUnits;

/// The task queue of this process.
pub const TASK_QUEUE: &str = "invoices";

/// The workflow id of an invoice.
pub fn workflow_id(invoice_id: Uuid) -> String {
    format!("invoice/{invoice_id}")
}

/// What the merchant asked for, checked by the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvoiceRequest {
    /// Derived from principal, route and idempotency key; the primary key and part of the workflow id.
    pub invoice_id: Uuid,
    /// Owner of the invoice and of its address.
    pub merchant_id: Uuid,
    /// The form that a buyer filled; none when the merchant asked himself.
    #[serde(default)]
    pub form_id: Option<Uuid>,
    /// Coin, as in the catalogue.
    pub coin_id: String,
    /// Network, as in the catalogue.
    pub network_id: String,
    /// Contract of the token; none for a network's native coin.
    pub contract: Option<String>,
    /// Amount due.
    pub amount: BaseUnits,
    /// Digits after the point of this coin on this network.
    pub decimals: u8,
    /// Shown to the buyer.
    pub title: String,
    /// Shown to the buyer.
    pub description: String,
    /// Where the buyer goes after paying.
    pub checkout_url: String,
    /// The merchant's own id, unique per merchant.
    pub external_id: Option<String>,
    /// HMAC of the request's body, in hexadecimal: the same key with another body is refused.
    pub fingerprint: String,
}

/// Input of the workflow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvoiceInput {
    /// What to create.
    pub request: InvoiceRequest,
    /// Every duration and threshold.
    pub policy: InvoicePolicy,
    /// Where an earlier run of the same invoice stopped, after continue-as-new.
    #[serde(default)]
    pub resumed: Option<Resumed>,
}

/// What a continued run needs to go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resumed {
    /// The answer to whoever repeats the creation.
    pub opened: OpenReply,
    /// Where the invoice stands.
    pub standing: Standing,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceOutcome {
    /// Nobody asked for the invoice in time: nothing was created.
    NeverAsked,
    /// No invoice was created; the caller knows why.
    NotCreated,
    /// Monitoring is over and the address cools down.
    Closed {
        /// Last status.
        status: InvoiceStatus,
        /// Last exception.
        exception: InvoiceException,
    },
}

/// Answer of the update `open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// What became of it.
    pub result: OpenResult,
}

/// What became of a creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenResult {
    /// The invoice exists.
    Created(CreatedInvoice),
    /// The merchant's id belongs to another invoice of his.
    ExternalIdTaken {
        /// That invoice.
        invoice_id: Uuid,
    },
    /// No address could be had.
    Unavailable,
}

/// What the ledger adds to the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedInvoice {
    /// Where the buyer pays.
    pub deposit_address: String,
    /// Beginning of the invoice.
    pub created_at: DateTime<Utc>,
    /// End of the time to pay.
    pub expires_at: DateTime<Utc>,
}

/// Where an invoice stands, and what its workflow has to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Status in the words of the source.
    pub status: InvoiceStatus,
    /// What is unusual about its money.
    pub exception: InvoiceException,
    /// Money seen in time, confirmed or not.
    pub seen: BaseUnits,
    /// Money confirmed in time.
    pub confirmed: BaseUnits,
    /// Money that came after its time and was not accepted.
    #[serde(default)]
    pub late: BaseUnits,
    /// Number of the last event; grows with every change that a reader can see.
    pub version: i64,
    /// Time of the last event.
    pub updated_at: DateTime<Utc>,
    /// What caused the last event.
    pub cause: String,
    /// The deposits that this standing has counted.
    pub deposit_revision: i64,
    /// Credit of the merchant is due.
    pub credit_due: bool,
    /// When to look again without being told; none once monitoring is over.
    pub wake_at: Option<DateTime<Utc>>,
}

impl Standing {
    /// Whether `request` is what cancelled the invoice.
    pub fn is_cancelled_by(&self, request: &CancelRequest) -> bool {
        self.status == InvoiceStatus::Cancelled && self.cause == request.cause
    }

    /// Whether the chain took back money that the merchant was credited with: a person has to decide.
    pub fn is_reorged_after_finish(&self) -> bool {
        self.status == InvoiceStatus::Finished && self.exception == InvoiceException::Reorged
    }
}

/// Argument of the update `accept_late`: everything that came late until now counts as in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptLateRequest {
    /// The update's own id: the cause that the ledger records.
    pub cause: String,
    /// Who accepts.
    pub actor: String,
    /// Free text of the caller.
    pub note: String,
    /// HMAC of the request's body, in hexadecimal.
    pub fingerprint: String,
}

/// Why late money is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateRefusal {
    /// The invoice still awaits its money.
    NotOver,
    /// It was cancelled, which is final.
    Cancelled,
    /// No money came late.
    NothingLate,
    /// What came late is not confirmed, and nobody waits for that any more.
    NotConfirmed,
    /// What came is confirmed and less than due, and nobody waits for the rest any more.
    TooLittle,
}

/// Answer of the update `accept_late`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptLateReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// Why nothing was accepted, if so.
    pub refusal: Option<LateRefusal>,
    /// Where the invoice stood right after.
    pub standing: Standing,
}

/// Argument of the update `deposits_changed`: a pointer, the money is in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositsChanged {
    /// Revision of the deposits that the relay read.
    pub revision: i64,
}

/// Argument of the update `cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// The update's own id: the cause that the ledger records.
    pub cause: String,
    /// Who cancels.
    pub actor: String,
    /// Why.
    pub reason: CancelReason,
    /// Free text of the caller.
    pub note: String,
    /// HMAC of the request's body, in hexadecimal.
    pub fingerprint: String,
}

/// Reasons for a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The merchant no longer wants the money.
    RequestedByMerchant,
    /// Know-your-customer checks forbid it; operators only.
    Kyc,
    /// Anything else.
    Other,
}

/// Answer of the update `cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// Whether the invoice was cancelled by this request.
    pub cancelled: bool,
    /// Where the invoice stood right after.
    pub standing: Standing,
}
