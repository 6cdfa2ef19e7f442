//! What happened on a loan account.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use super::amount::Amount;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Kind {
    Disbursement,
    DisbursementAdjustment,
    Repayment,
    RepaymentAdjustment,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Disbursement => "DISBURSEMENT",
            Self::DisbursementAdjustment => "DISBURSEMENT_ADJUSTMENT",
            Self::Repayment => "REPAYMENT",
            Self::RepaymentAdjustment => "REPAYMENT_ADJUSTMENT",
        }
    }

    /// The transaction that takes one of this kind back.
    pub(crate) fn adjustment(self) -> Option<Self> {
        match self {
            Self::Disbursement => Some(Self::DisbursementAdjustment),
            Self::Repayment => Some(Self::RepaymentAdjustment),
            Self::DisbursementAdjustment | Self::RepaymentAdjustment => None,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    /// Counts from 1.
    pub(crate) id: String,
    pub(crate) encoded_key: String,
    pub(crate) external_id: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) loan_id: String,
    pub(crate) amount: Amount,
    /// Principal of the loan afterwards.
    pub(crate) balance: Amount,
    pub(crate) created_at: DateTime<FixedOffset>,
    pub(crate) value_date: DateTime<FixedOffset>,
    pub(crate) booking_date: DateTime<FixedOffset>,
    pub(crate) notes: Option<String>,
    pub(crate) channel: Option<String>,
    /// Of an adjustment: what it takes back.
    pub(crate) original_key: Option<String>,
    /// Of what was taken back: by what.
    pub(crate) adjustment_key: Option<String>,
}

impl Transaction {
    pub(crate) fn was_adjusted(&self) -> bool {
        self.adjustment_key.is_some()
    }
}
