//! Mambu's JSON, as far as it is read or written here. Its schema makes nearly every field optional.

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat};
use serde::{Deserialize, Serialize};

use super::{Decimal, DisbursementOrder};
use crate::clients::http::Answer;

const LONGEST_REASON: usize = 100;

/// A loan account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoanAccount {
    /// Its id; Mambu finds it by its encoded key too.
    pub id: Option<String>,
    /// Encoded key of the client or group that holds it.
    pub account_holder_key: Option<String>,
    /// Encoded key of the credit arrangement that it belongs to.
    pub credit_arrangement_key: Option<String>,
    /// `APPROVED`, `ACTIVE` and so on.
    pub account_state: Option<String>,
    /// Its whole amount.
    pub loan_amount: Decimal,
    /// Of which currency.
    pub currency: Option<CurrencyCode>,
    /// How its repayment dates follow.
    pub schedule_settings: Option<ScheduleSettings>,
    /// Encoded key of the transaction that made it active: its first disbursement.
    pub activation_transaction_key: Option<String>,
}

/// A currency.
#[derive(Debug, Clone, Deserialize)]
pub struct CurrencyCode {
    /// By ISO 4217.
    pub code: Option<String>,
}

/// How the repayment dates of a loan follow from its disbursement.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleSettings {
    /// `INTERVAL` or `FIXED_DAYS_OF_MONTH`.
    pub schedule_due_dates_method: Option<String>,
    /// How many units an interval has.
    pub repayment_period_count: Option<i64>,
    /// `DAYS`, `WEEKS`, `MONTHS` or `YEARS`.
    pub repayment_period_unit: Option<String>,
    /// Days of the month.
    pub fixed_days_of_month: Option<Vec<i64>>,
    /// `LAST_DAY_IN_MONTH` or `FIRST_DAY_OF_NEXT_MONTH`.
    pub short_month_handling_method: Option<String>,
    /// Days that the first repayment comes later.
    pub default_first_repayment_due_date_offset: Option<i64>,
}

/// What a client and a credit arrangement have in common. Nothing else of a client is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keyed {
    /// Its id; Mambu finds it by its encoded key too.
    pub id: Option<String>,
    /// What others refer to it by.
    pub encoded_key: String,
}

/// A transaction on a loan.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Its id.
    pub id: String,
    /// The id that we gave it.
    pub external_id: Option<String>,
    /// `DISBURSEMENT` and so on.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// How much.
    pub amount: Option<Decimal>,
    /// When it took effect, in the organisation's time.
    pub value_date: Option<DateTime<FixedOffset>>,
    /// Encoded key of what reversed it.
    pub adjustment_transaction_key: Option<String>,
}

impl Transaction {
    /// Whether it was reversed.
    pub fn is_adjusted(&self) -> bool {
        self.adjustment_transaction_key.is_some()
    }
}

/// The repayments of a loan.
#[derive(Debug, Clone, Deserialize)]
pub struct LoanSchedule {
    /// In the order of their numbers.
    #[serde(default)]
    pub installments: Vec<Installment>,
}

/// One repayment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installment {
    /// When it is due, in the organisation's time.
    pub due_date: Option<DateTime<FixedOffset>>,
}

impl LoanSchedule {
    /// The first due date, by the organisation's calendar: its offset is in the date itself.
    pub fn first_due_date(&self) -> Option<NaiveDate> {
        self.installments.iter().filter_map(|installment| installment.due_date).min().map(|due| due.date_naive())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DisbursementBody<'a> {
    amount: &'a Decimal,
    value_date: String,
    first_repayment_date: String,
    external_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_details: Option<TransactionDetails<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TransactionDetails<'a> {
    transaction_channel_id: &'a str,
}

impl<'a> DisbursementBody<'a> {
    /// The same of the same order, to the byte: nothing in it comes from a clock. Days begin by the order's offset.
    pub(super) fn new(order: &'a DisbursementOrder<'a>, channel: Option<&'a str>) -> Self {
        Self {
            amount: &order.amount,
            value_date: order.value_date.to_rfc3339_opts(SecondsFormat::Secs, false),
            first_repayment_date: format!("{}T00:00:00{}", order.first_repayment_date, order.value_date.offset()),
            external_id: order.external_id,
            transaction_details: channel.map(|transaction_channel_id| TransactionDetails { transaction_channel_id }),
        }
    }
}

#[derive(Serialize)]
pub(super) struct AdjustmentBody<'a> {
    pub(super) notes: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchBody<'a> {
    filter_criteria: [Criterion<'a>; 1],
}

#[derive(Serialize)]
struct Criterion<'a> {
    field: &'static str,
    operator: &'static str,
    value: &'a str,
}

impl<'a> SearchBody<'a> {
    pub(super) fn by_external_id(value: &'a str) -> Self {
        Self { filter_criteria: [Criterion { field: "externalId", operator: "EQUALS_CASE_SENSITIVE", value }] }
    }
}

#[derive(Deserialize)]
struct ErrorsBody {
    errors: Vec<ErrorBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    error_reason: Option<String>,
}

/// The reason in Mambu's error envelope. What is no word of its enumeration is none: it could be anything.
pub(super) fn reason(answer: &Answer) -> Option<String> {
    let body: ErrorsBody = answer.json().ok()?;
    body.errors.into_iter().filter_map(|error| error.error_reason).find(|reason| is_word(reason))
}

fn is_word(reason: &str) -> bool {
    let in_a_word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !reason.is_empty() && reason.len() <= LONGEST_REASON && reason.bytes().all(in_a_word)
}
