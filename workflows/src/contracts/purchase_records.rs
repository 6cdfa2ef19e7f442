//! The purchases in our own tables.

use std::convert::Infallible;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use temporalio_macros::activity_definitions;
use uuid::Uuid;

use super::core_banking::Disbursement;
use crate::purchase_codes::{IssueReply, PurchaseRequest, Refusal, UseReply, UseRequest};

/// The tables do not answer.
pub const UNAVAILABLE: &str = "purchase_records.unavailable";
/// The items contradict the request: a bug.
pub const CORRUPT: &str = "purchase_records.corrupt";

/// Begins a purchase: its item, and the claim on its loan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begin {
    /// What to begin.
    pub request: PurchaseRequest,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// What became of a beginning.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeginResult {
    /// The loan is this purchase's: go on.
    Begun,
    /// So it was before: an earlier run, which did not decide the purchase, may have disbursed.
    Resumed,
    /// The purchase was decided before: the answer of that time.
    Known(IssueReply),
    /// Another purchase has the loan.
    LoanTaken,
}

/// Ends a purchase that disbursed nothing, and frees its loan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refuse {
    /// Which purchase.
    pub request: PurchaseRequest,
    /// Why.
    pub refusal: Refusal,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// Keeps a disbursement, and issues its code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Store {
    /// For what.
    pub request: PurchaseRequest,
    /// What was disbursed.
    pub disbursement: Disbursement,
    /// End of the time to scan.
    pub expires_at: DateTime<Utc>,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// Tries a scan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scan {
    /// Which purchase.
    pub purchase_id: Uuid,
    /// The scan.
    pub request: UseRequest,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// Ends the time to scan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Expire {
    /// Which purchase.
    pub purchase_id: Uuid,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// What became of the end of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpireResult {
    /// The code ended unused.
    Expired,
    /// It was used before: its disbursement stays.
    Used,
}

/// Notes that the disbursement is reversed, and frees the loan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NoteReversal {
    /// Which purchase.
    pub purchase_id: Uuid,
    /// The workflow's time.
    pub now: DateTime<Utc>,
}

/// Deletes the voucher of a purchase, if it was drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeleteImage {
    /// Which purchase.
    pub purchase_id: Uuid,
}

/// The purchases in our own tables.
pub struct PurchaseRecords;

#[activity_definitions]
impl PurchaseRecords {
    /// Claims the loan, or finds what became of this purchase before.
    #[activity(name = "purchase_records.begin")]
    pub fn begin(_: Begin) -> Result<BeginResult, Infallible> {
        unimplemented!()
    }

    /// Whether the purchase with this id was begun, by whatever run.
    #[activity(name = "purchase_records.has_begun")]
    pub fn has_begun(_: Uuid) -> Result<bool, Infallible> {
        unimplemented!()
    }

    /// Keeps the refusal and frees the loan.
    #[activity(name = "purchase_records.refuse")]
    pub fn refuse(_: Refuse) -> Result<IssueReply, Infallible> {
        unimplemented!()
    }

    /// Keeps disbursement, code and credit details together; again, it finds them.
    #[activity(name = "purchase_records.store")]
    pub fn store(_: Store) -> Result<IssueReply, Infallible> {
        unimplemented!()
    }

    /// Uses the code if everything fits; one of many wins.
    #[activity(name = "purchase_records.scan")]
    pub fn scan(_: Scan) -> Result<UseReply, Infallible> {
        unimplemented!()
    }

    /// Ends the code unless it was used.
    #[activity(name = "purchase_records.expire")]
    pub fn expire(_: Expire) -> Result<ExpireResult, Infallible> {
        unimplemented!()
    }

    /// The disbursement is reversed.
    #[activity(name = "purchase_records.note_reversal")]
    pub fn note_reversal(_: NoteReversal) -> Result<(), Infallible> {
        unimplemented!()
    }

    /// Deletes the voucher.
    #[activity(name = "code_images.delete")]
    pub fn delete_image(_: DeleteImage) -> Result<(), Infallible> {
        unimplemented!()
    }
}

pub use purchase_records::{
    Begin as BeginActivity, DeleteImage as DeleteImageActivity, Expire as ExpireActivity, HasBegun as HasBegunActivity,
    NoteReversal as NoteReversalActivity, Refuse as RefuseActivity, Scan as ScanActivity, Store as StoreActivity,
};
