//! The purchase code: a one-time password confirms a loan, the loan is disbursed, and a provider scans its code once.
//!
//! Sources: `000` (create and scan the code) and `001` (the code as an image). Statuses keep the words of the sources.

mod first_payment_date;
mod policy;
mod records;
mod standing;
mod status;
pub mod transition;
mod turns;
mod workflow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use first_payment_date::{DateError, Schedule, ScheduleMethod, ShortMonth, Unit, first_payment_date};
pub use policy::PurchasePolicy;
pub use status::{CodeStatus, CreditState, CreditSubstate};
pub use workflow::PurchaseCodeWorkflow;

use crate::domain::{Confidential, Money};

/// The task queue of this process.
pub const TASK_QUEUE: &str = "purchase-codes";

/// The workflow id of a purchase.
pub fn workflow_id(purchase_id: Uuid) -> String {
    format!("purchase-code/{purchase_id}")
}

/// What the frontend asked for, checked by the API. The one-time password travels beside it, in the update alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurchaseRequest {
    /// Derived from principal, route and idempotency key; the primary key and part of the workflow id.
    pub purchase_id: Uuid,
    /// The frontend that asks, as its principal is written.
    pub frontend: String,
    /// The client, as Mambu and CIAM know it.
    pub client_id: String,
    /// The client's credit line: Mambu's credit arrangement.
    pub credit_line_id: String,
    /// The loan to disburse.
    pub loan_account_id: String,
    /// Who may scan the code.
    pub provider: String,
    /// The whole loan.
    pub amount: Money,
    /// HMAC of the request's body without the one-time password, in hexadecimal.
    pub fingerprint: String,
}

/// Input of the workflow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurchaseInput {
    /// What to issue.
    pub request: PurchaseRequest,
    /// Every duration and threshold.
    pub policy: PurchasePolicy,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseOutcome {
    /// Nobody asked in time: nothing happened.
    NeverAsked,
    /// No code was issued and nothing was disbursed; the caller knows why.
    Refused,
    /// The code was scanned.
    Used,
    /// The code ended unused; its disbursement is reversed.
    Expired,
}

/// Argument of the update `issue`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssueRequest {
    /// What the client typed.
    pub otp: Confidential,
}

/// Answer of the update `issue`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssueReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// What became of it.
    pub result: IssueResult,
}

/// What became of a purchase.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueResult {
    /// The loan is disbursed and its code is there: the purchase as it was when it was issued.
    Issued(Box<Purchase>),
    /// Nothing was disbursed.
    Refused(Refusal),
}

/// Why nothing was disbursed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The loan is not what the request says.
    Loan(LoanRefusal),
    /// Another purchase of this loan is active, or was used.
    PurchaseActive,
    /// The one-time password is wrong, expired, used, or confirms something else.
    Otp {
        /// Tries that are left; unknown where CIAM does not tell.
        attempts_left: Option<u32>,
    },
    /// Too many wrong one-time passwords.
    OtpLocked {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// Mambu or CIAM could not be reached for so long that the caller has to begin anew; or the one-time password was lost
    /// with the task that it came for.
    Unanswered,
    /// No first payment date follows from the product's schedule.
    Schedule,
    /// Mambu refuses the disbursement.
    Disbursement {
        /// Mambu's reason.
        reason: String,
    },
    /// Somebody else has disbursed this loan: operators are told.
    DisbursedElsewhere,
}

/// What of the loan does not fit the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoanRefusal {
    /// There is no such loan, or it is another client's: which of both is not told.
    NotTheClients,
    /// It belongs to another credit line.
    OtherCreditLine,
    /// It is not approved, or no longer.
    NotApproved,
    /// Its amount or currency is another.
    OtherAmount,
}

/// A purchase as it is kept. Its code is in clear only here, on the way to whom it belongs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Purchase {
    /// Primary key.
    pub purchase_id: Uuid,
    /// The frontend that asked.
    pub frontend: String,
    /// The client.
    pub client_id: String,
    /// The credit line.
    pub credit_line_id: String,
    /// The loan.
    pub loan_account_id: String,
    /// Who may scan the code.
    pub provider: String,
    /// What was disbursed.
    pub amount: Money,
    /// 20 characters of Crockford base32 and a check symbol.
    pub code: Confidential,
    /// Where the code stands.
    pub status: CodeStatus,
    /// First repayment date, as Mambu has it.
    pub first_payment_date: NaiveDate,
    /// End of the time to scan.
    pub expires_at: DateTime<Utc>,
    /// Time of issue.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change.
    pub version: i64,
    /// HMAC of the first request's body, in hexadecimal.
    pub fingerprint: String,
    /// What made the last change: the update's id, or the deadline.
    pub cause: String,
    /// Mambu's id of the disbursement.
    pub transaction_id: String,
    /// Key of the stored voucher; none while it was not drawn, and after the end.
    pub image_url: Option<String>,
}

/// Argument of the update `use`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UseRequest {
    /// The update's own id: the cause that the record keeps.
    pub cause: String,
    /// The provider of the device.
    pub provider: String,
    /// What was scanned.
    pub code: Confidential,
    /// HMAC of the request's body, in hexadecimal.
    pub fingerprint: String,
}

/// Answer of the update `use`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UseReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// What became of it.
    pub result: UseResult,
}

/// What became of a scan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseResult {
    /// The code is used, by this request.
    Used(Box<Purchase>),
    /// The code stays as it is.
    Refused(UseRefusal),
}

/// Why a scan changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseRefusal {
    /// Another code than this loan's.
    WrongCode,
    /// Another provider's.
    OtherProvider,
    /// Somebody scanned it before.
    AlreadyUsed,
    /// Too late.
    Expired,
}
