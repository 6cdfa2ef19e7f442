//! The gift redemption: a shop's device uses a gift once, and may undo that for a short time.
//!
//! Source: `004`. The PIN is verified before a run begins: nothing of it reaches Temporal.

mod policy;
mod redemption;
mod standing;
mod void;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use policy::GiftPolicy;
pub use redemption::GiftRedemptionWorkflow;
pub use void::GiftVoidWorkflow;

/// The task queue of this process.
pub const TASK_QUEUE: &str = "gifts";

/// The workflow id of a redemption.
pub fn redemption_workflow_id(redemption_id: Uuid) -> String {
    format!("gift-redemption/{redemption_id}")
}

/// The workflow id of the undoing of a redemption.
pub fn void_workflow_id(void_id: Uuid) -> String {
    format!("gift-void/{void_id}")
}

/// What a device asked for, whose PIN was right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemRequest {
    /// Derived from principal, route and idempotency key; the primary key and part of the workflow id.
    pub redemption_id: Uuid,
    /// The gift.
    pub gift_id: String,
    /// The supplier whose device it is.
    pub supplier_code: String,
    /// The account whose PIN was right, by its number.
    pub supplier_account: String,
    /// The device, as its principal is written.
    pub device: String,
    /// HMAC of the request's body without the PIN, in hexadecimal.
    pub fingerprint: String,
}

/// Input of the workflow that redeems.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RedemptionInput {
    /// What to redeem.
    pub request: RedeemRequest,
    /// Every duration.
    pub policy: GiftPolicy,
}

/// Answer of the update `redeem`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// What became of it.
    pub result: RedeemResult,
}

/// What became of a redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedeemResult {
    /// The gift is used, by this request.
    Used(Redemption),
    /// It is not, or not by this request.
    Refused(RedeemRefusal),
}

/// A used gift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    /// Which redemption.
    pub redemption_id: Uuid,
    /// Which gift.
    pub gift_id: String,
    /// By whom.
    pub supplier_code: String,
    /// By which of his accounts.
    pub supplier_account: String,
    /// By the database's clock.
    pub used_at: DateTime<Utc>,
    /// The same device may undo it until then.
    pub voidable_until: DateTime<Utc>,
}

/// Why a gift was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedeemRefusal {
    /// There is no such gift.
    NotFound,
    /// It is switched off.
    NotActive,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// Somebody used it before.
    AlreadyUsed,
    /// It is for another supplier.
    SupplierMismatch,
}

impl RedeemRefusal {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::NotFound, Self::NotActive, Self::NotYetValid, Self::Expired, Self::AlreadyUsed, Self::SupplierMismatch];

    /// The code that callers and rows have for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "gift_not_found",
            Self::NotActive => "gift_not_active",
            Self::NotYetValid => "gift_not_yet_valid",
            Self::Expired => "gift_expired",
            Self::AlreadyUsed => "gift_already_used",
            Self::SupplierMismatch => "supplier_mismatch",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.as_str() == text)
    }
}

/// What a device wants undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidRequest {
    /// Derived from principal, route and idempotency key; part of the workflow id.
    pub void_id: Uuid,
    /// The gift.
    pub gift_id: String,
    /// The supplier whose device it is.
    pub supplier_code: String,
    /// The device, as its principal is written.
    pub device: String,
    /// Why, in the shop's words; empty where it says nothing.
    pub reason: String,
    /// HMAC of path and body, in hexadecimal.
    pub fingerprint: String,
}

/// Input of the workflow that undoes a redemption.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VoidInput {
    /// What to undo.
    pub request: VoidRequest,
    /// Every duration.
    pub policy: GiftPolicy,
}

/// Answer of the update `void`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidReply {
    /// Fingerprint of the first request under this key.
    pub fingerprint: String,
    /// What became of it.
    pub result: VoidResult,
}

/// What became of the wish to undo a redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidResult {
    /// The gift can be used again.
    Voided(Void),
    /// Everything stays as it is.
    Refused(VoidRefusal),
}

/// An undone redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// Which redemption.
    pub redemption_id: Uuid,
    /// Of which gift.
    pub gift_id: String,
    /// By the database's clock.
    pub voided_at: DateTime<Utc>,
}

/// Why a redemption was not undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidRefusal {
    /// There is no such gift, or it was never this supplier's to use.
    NotFound,
    /// Nobody has used it, or that was undone before.
    NotUsed,
    /// Another device used it.
    OtherDevice,
    /// The time to undo it is over.
    TooLate,
}

impl VoidRefusal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotFound, Self::NotUsed, Self::OtherDevice, Self::TooLate];

    /// The code that callers and rows have for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "gift_not_found",
            Self::NotUsed => "gift_not_used",
            Self::OtherDevice => "redeemed_elsewhere",
            Self::TooLate => "void_window_over",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.as_str() == text)
    }
}

/// How a run of either workflow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GiftOutcome {
    /// Nobody asked in time: nothing happened.
    NeverAsked,
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}
