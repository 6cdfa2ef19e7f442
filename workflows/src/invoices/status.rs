use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The seven statuses of the source document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// Created; nothing seen, or less than due seen and nothing confirmed.
    WaitingForDeposit,
    /// Enough seen, not yet confirmed.
    PaymentConfirmation,
    /// Something confirmed, less than due.
    PartiallyPaid,
    /// Enough confirmed.
    PaymentAccepted,
    /// The merchant's credit is recorded.
    Finished,
    /// The deadline passed with nothing or too little.
    Expired,
    /// Cancelled by the merchant or an operator.
    Cancelled,
}

use InvoiceStatus::{
    Cancelled, Expired, Finished, PartiallyPaid, PaymentAccepted, PaymentConfirmation, WaitingForDeposit,
};

/// Every change of status that may happen. The database holds the same table and refuses any other.
pub const EDGES: [(InvoiceStatus, InvoiceStatus); 22] = [
    (WaitingForDeposit, PaymentConfirmation),
    (WaitingForDeposit, PartiallyPaid),
    (WaitingForDeposit, PaymentAccepted),
    (WaitingForDeposit, Expired),
    (WaitingForDeposit, Cancelled),
    (PaymentConfirmation, WaitingForDeposit),
    (PaymentConfirmation, PartiallyPaid),
    (PaymentConfirmation, PaymentAccepted),
    (PaymentConfirmation, Expired),
    (PaymentConfirmation, Cancelled),
    (PartiallyPaid, WaitingForDeposit),
    (PartiallyPaid, PaymentConfirmation),
    (PartiallyPaid, PaymentAccepted),
    (PartiallyPaid, Expired),
    (PartiallyPaid, Cancelled),
    (PaymentAccepted, Finished),
    (PaymentAccepted, PaymentConfirmation),
    (PaymentAccepted, PartiallyPaid),
    (PaymentAccepted, WaitingForDeposit),
    (Expired, PaymentConfirmation),
    (Expired, PartiallyPaid),
    (Expired, PaymentAccepted),
];

impl InvoiceStatus {
    /// All statuses, in the order of the source.
    pub const ALL: [Self; 7] =
        [WaitingForDeposit, PaymentConfirmation, PartiallyPaid, PaymentAccepted, Finished, Expired, Cancelled];

    /// The source document's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            WaitingForDeposit => "waiting_for_deposit",
            PaymentConfirmation => "payment_confirmation",
            PartiallyPaid => "partially_paid",
            PaymentAccepted => "payment_accepted",
            Finished => "finished",
            Expired => "expired",
            Cancelled => "cancelled",
        }
    }

    /// Whether the status never changes again.
    pub const fn is_final(self) -> bool {
        matches!(self, Finished | Cancelled)
    }

    /// Whether the invoice still awaits its money.
    pub const fn is_open(self) -> bool {
        !matches!(self, Finished | Cancelled | Expired)
    }
}

/// What is unusual about the money of an invoice, beside its status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceException {
    /// Nothing.
    #[default]
    None,
    /// Some money came, less than due.
    PaidPartial,
    /// More than due is confirmed.
    PaidOver,
    /// Money came after the deadline.
    PaidLate,
    /// Money came to a cancelled invoice.
    PaidAfterCancel,
    /// Another token than the one asked for came to the address.
    WrongAsset,
    /// The chain took back money that was already credited.
    Reorged,
}

impl InvoiceException {
    /// All exceptions.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::PaidPartial,
        Self::PaidOver,
        Self::PaidLate,
        Self::PaidAfterCancel,
        Self::WrongAsset,
        Self::Reorged,
    ];

    /// The spelling in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PaidPartial => "paid_partial",
            Self::PaidOver => "paid_over",
            Self::PaidLate => "paid_late",
            Self::PaidAfterCancel => "paid_after_cancel",
            Self::WrongAsset => "wrong_asset",
            Self::Reorged => "reorged",
        }
    }
}

/// A word that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not known")]
pub struct UnknownWord(String);

impl FromStr for InvoiceStatus {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

impl FromStr for InvoiceException {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|exception| exception.as_str() == word).ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

impl fmt::Display for InvoiceStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for InvoiceException {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
