//! Loans at the core banking system, Mambu.

use std::convert::Infallible;

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;
use uuid::Uuid;

use crate::{domain::Money, purchase_codes::Schedule};

/// Mambu does not answer, or not in a way that can be read: a read that failed, or a command whose outcome is unknown.
/// The next attempt reconciles first.
pub const UNAVAILABLE: &str = "core_banking.unavailable";
/// Mambu refuses our credentials or our requests: an operator has to mend that.
pub const MISCONFIGURED: &str = "core_banking.misconfigured";

/// Reads a loan and whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadLoan {
    /// The loan.
    pub loan_account_id: String,
    /// Who should hold it.
    pub client_id: String,
    /// Where it should belong.
    pub credit_line_id: String,
    /// The purchase that an earlier run may have disbursed it for.
    #[serde(default)]
    pub tried_for: Option<Uuid>,
}

/// A loan, as far as a purchase needs it.
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// Whether the client holds it.
    pub is_the_clients: bool,
    /// Whether it belongs to the credit line.
    pub is_of_the_credit_line: bool,
    /// Whether it may be disbursed: `APPROVED`.
    pub is_approved: bool,
    /// Whether it is disbursed, for the purchase that asks.
    #[serde(default)]
    pub is_disbursed_for_purchase: bool,
    /// Its whole amount.
    pub amount: Money,
    /// How its repayment dates follow from the disbursement.
    pub schedule: Schedule,
}

/// Disburses a loan. The same body under the same key, however often.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Disburse {
    /// For which purchase; `pc-<purchase_id>` is the external id at Mambu.
    pub purchase_id: Uuid,
    /// The loan.
    pub loan_account_id: String,
    /// Its whole amount.
    pub amount: Money,
    /// Idempotency key: a UUID of version 5.
    pub key: Uuid,
    /// Date of the disbursement, in the organisation's time.
    pub value_date: DateTime<FixedOffset>,
    /// First repayment date, in the organisation's time.
    pub first_payment_date: NaiveDate,
    /// An earlier run may have sent it, on another day: it is looked for before it is sent.
    #[serde(default)]
    pub was_tried: bool,
}

/// What became of a disbursement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisburseResult {
    /// The loan is disbursed, by this purchase.
    Disbursed(Disbursement),
    /// Mambu says no, and will say no again. Nothing was disbursed.
    Refused {
        /// Mambu's `errorReason`.
        reason: String,
    },
    /// The loan is disbursed, and not by this purchase.
    DisbursedElsewhere,
}

/// A disbursement that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disbursement {
    /// Mambu's id of the transaction.
    pub transaction_id: String,
    /// When Mambu says it took effect.
    pub value_date: DateTime<FixedOffset>,
    /// Due date of the first instalment in the schedule that Mambu made.
    pub first_payment_date: NaiveDate,
}

/// Reverses the disbursement of a purchase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reverse {
    /// Of which purchase.
    pub purchase_id: Uuid,
    /// Mambu's id of the disbursement.
    pub transaction_id: String,
    /// Idempotency key: a UUID of version 5.
    pub key: Uuid,
}

/// What became of a reversal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReverseResult {
    /// The disbursement is reversed, now or before.
    Reversed,
    /// Something stands in the way that a person has to remove, such as a repayment.
    Blocked {
        /// Mambu's `errorReason`.
        reason: String,
    },
}

/// The core banking system.
pub struct CoreBanking;

#[activity_definitions]
impl CoreBanking {
    /// Reads a loan; none when Mambu does not know it.
    #[activity(name = "core_banking.read_loan")]
    pub fn read_loan(_: ReadLoan) -> Result<Option<Loan>, Infallible> {
        unimplemented!()
    }

    /// Disburses a loan once.
    #[activity(name = "core_banking.disburse")]
    pub fn disburse(_: Disburse) -> Result<DisburseResult, Infallible> {
        unimplemented!()
    }

    /// Reverses a disbursement once.
    #[activity(name = "core_banking.reverse")]
    pub fn reverse(_: Reverse) -> Result<ReverseResult, Infallible> {
        unimplemented!()
    }
}

pub use core_banking::{Disburse as DisburseActivity, ReadLoan as ReadLoanActivity, Reverse as ReverseActivity};
