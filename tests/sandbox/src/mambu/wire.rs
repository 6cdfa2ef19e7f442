//! Mambu's JSON.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use serde::Serialize;
use serde_json::{Value, json};

use super::amount::{Amount, Number};
use super::bank::{Arrangement, Bank};
use super::encoded_key;
use super::loan::{Loan, LoanState, SubState};
use super::schedule::{DueDatesMethod, PeriodUnit, ScheduleSettings, ShortMonth};
use super::transaction::{Kind, Transaction};
use crate::problem::Problem;
use crate::reply::Reply;

/// Of what Mambu answers; callers have to accept it.
pub(super) const CONTENT_TYPE: &str = "application/vnd.mambu.v2+json";

type Time = DateTime<FixedOffset>;

/// An answer in Mambu's media type.
pub(super) fn reply(status: StatusCode, body: &impl Serialize) -> Reply {
    match serde_json::to_string(body) {
        Ok(body) => Reply { status, content_type: CONTENT_TYPE, retry_after: None, body },
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into(),
    }
}

#[derive(Serialize)]
struct CurrencyBody<'a> {
    code: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoanBody<'a> {
    encoded_key: &'a str,
    id: &'a str,
    loan_name: &'static str,
    account_holder_type: &'static str,
    account_holder_key: String,
    credit_arrangement_key: String,
    product_type_key: String,
    loan_amount: Number,
    currency: CurrencyBody<'a>,
    account_state: LoanState,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_sub_state: Option<SubState>,
    creation_date: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_date: Option<Time>,
    last_modified_date: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_transaction_key: Option<&'a str>,
    disbursement_details: DetailsBody<'a>,
    schedule_settings: SettingsBody<'a>,
    balances: BTreeMap<&'static str, Number>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DetailsBody<'a> {
    encoded_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_disbursement_date: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disbursement_date: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_repayment_date: Option<Time>,
    fees: [Value; 0],
    transaction_details: ChannelBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SettingsBody<'a> {
    grace_period: u32,
    repayment_installments: u32,
    schedule_due_dates_method: DueDatesMethod,
    repayment_period_unit: PeriodUnit,
    repayment_period_count: u32,
    fixed_days_of_month: &'a [u32],
    #[serde(skip_serializing_if = "Option::is_none")]
    short_month_handling_method: Option<ShortMonth>,
    default_first_repayment_due_date_offset: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChannelBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_channel_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_channel_id: Option<&'a str>,
}

const NOTHING: Number = Number(Amount::ZERO);

/// Nothing of these is ever owed here: how interest, fees and penalties come about is no part of what is played.
const BALANCES: [&str; 12] = [
    "principalDue",
    "interestDue",
    "interestPaid",
    "interestBalance",
    "feesDue",
    "feesPaid",
    "feesBalance",
    "penaltyDue",
    "penaltyPaid",
    "penaltyBalance",
    "holdBalance",
    "redrawBalance",
];

/// The parts of a transaction that are nothing for the same reason.
const AMOUNTS: [&str; 7] = [
    "interestAmount",
    "interestFromArrearsAmount",
    "deferredInterestAmount",
    "feesAmount",
    "penaltyAmount",
    "fundersInterestAmount",
    "organizationCommissionAmount",
];

pub(super) fn loan(loan: &Loan) -> LoanBody<'_> {
    let terms = &loan.terms;
    let disbursed = loan.disbursed.as_ref();
    LoanBody {
        encoded_key: &loan.encoded_key,
        id: &loan.id,
        loan_name: "Purchase loan",
        account_holder_type: "CLIENT",
        account_holder_key: encoded_key("client", &terms.client_id),
        credit_arrangement_key: encoded_key("arrangement", &terms.credit_line_id),
        product_type_key: encoded_key("product", "purchase-loan"),
        loan_amount: Number(terms.amount),
        currency: CurrencyBody { code: &terms.currency },
        account_state: loan.state,
        account_sub_state: loan.sub_state,
        creation_date: loan.created_at,
        approved_date: loan.approved_at,
        last_modified_date: loan.modified_at,
        activation_transaction_key: disbursed.map(|disbursed| disbursed.transaction_key.as_str()),
        disbursement_details: details(loan),
        schedule_settings: settings(&terms.schedule),
        balances: balances(loan),
    }
}

fn details(loan: &Loan) -> DetailsBody<'_> {
    let disbursed = loan.disbursed.as_ref();
    let offset = *loan.created_at.offset();
    DetailsBody {
        encoded_key: encoded_key("disbursement-details", &loan.id),
        expected_disbursement_date: disbursed.is_none().then(|| midnight(loan.first_day(), offset)).flatten(),
        disbursement_date: disbursed.map(|disbursed| disbursed.value_date),
        first_repayment_date: disbursed.and_then(|disbursed| midnight(disbursed.first_repayment, offset)),
        fees: [],
        transaction_details: channel(disbursed.and_then(|disbursed| disbursed.channel.as_deref())),
    }
}

fn settings(schedule: &ScheduleSettings) -> SettingsBody<'_> {
    SettingsBody {
        grace_period: 0,
        repayment_installments: schedule.installments,
        schedule_due_dates_method: schedule.method,
        repayment_period_unit: schedule.unit,
        repayment_period_count: schedule.count,
        fixed_days_of_month: &schedule.fixed_days,
        short_month_handling_method: schedule.short_month(),
        default_first_repayment_due_date_offset: schedule.first_offset_days,
    }
}

fn balances(loan: &Loan) -> BTreeMap<&'static str, Number> {
    let mut balances: BTreeMap<_, _> = BALANCES.into_iter().map(|name| (name, NOTHING)).collect();
    balances.insert("principalPaid", Number(loan.paid));
    balances.insert("principalBalance", Number(loan.balance));
    balances
}

fn channel(id: Option<&str>) -> ChannelBody<'_> {
    ChannelBody { transaction_channel_key: id.map(|id| encoded_key("channel", id)), transaction_channel_id: id }
}

/// The beginning of a day of the organisation.
fn midnight(date: NaiveDate, offset: FixedOffset) -> Option<Time> {
    date.and_time(NaiveTime::MIN).and_local_timezone(offset).single()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionBody<'a> {
    encoded_key: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: Kind,
    amount: Number,
    currency: CurrencyBody<'a>,
    creation_date: Time,
    value_date: Time,
    booking_date: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a str>,
    parent_account_key: String,
    user_key: String,
    affected_amounts: BTreeMap<&'static str, Number>,
    taxes: Empty,
    account_balances: AccountBody,
    terms: TermsBody,
    transaction_details: ChannelBody<'a>,
    transfer_details: Empty,
    fees: [Value; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    original_transaction_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjustment_transaction_key: Option<&'a str>,
}

/// `{}`.
#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TermsBody {
    interest_settings: Empty,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountBody {
    total_balance: Number,
    principal_balance: Number,
}

pub(super) fn transaction<'a>(bank: &'a Bank, transaction: &'a Transaction) -> TransactionBody<'a> {
    let currency = bank.loan(&transaction.loan_id).map_or("", |loan| loan.terms.currency.as_str());
    let balance = Number(transaction.balance);
    TransactionBody {
        encoded_key: &transaction.encoded_key,
        id: &transaction.id,
        external_id: transaction.external_id.as_deref(),
        kind: transaction.kind,
        amount: Number(transaction.amount),
        currency: CurrencyBody { code: currency },
        creation_date: transaction.created_at,
        value_date: transaction.value_date,
        booking_date: transaction.booking_date,
        notes: transaction.notes.as_deref(),
        parent_account_key: encoded_key("loan", &transaction.loan_id),
        user_key: encoded_key("user", "api"),
        affected_amounts: affected(transaction.amount),
        taxes: Empty {},
        account_balances: AccountBody { total_balance: balance, principal_balance: balance },
        terms: TermsBody { interest_settings: Empty {} },
        transaction_details: channel(transaction.channel.as_deref()),
        transfer_details: Empty {},
        fees: [],
        original_transaction_key: transaction.original_key.as_deref(),
        adjustment_transaction_key: transaction.adjustment_key.as_deref(),
    }
}

fn affected(principal: Amount) -> BTreeMap<&'static str, Number> {
    let mut amounts: BTreeMap<_, _> = AMOUNTS.into_iter().map(|name| (name, NOTHING)).collect();
    amounts.insert("principalAmount", Number(principal));
    amounts
}

#[derive(Serialize)]
pub(super) struct ScheduleBody<'a> {
    currency: CurrencyBody<'a>,
    installments: Vec<InstallmentBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstallmentBody {
    encoded_key: String,
    parent_account_key: String,
    number: String,
    due_date: Option<Time>,
    state: &'static str,
    principal: PartBody,
    interest: PartBody,
    fee: PartBody,
    penalty: PartBody,
}

#[derive(Serialize)]
struct PartBody {
    amount: DueBody,
}

#[derive(Serialize)]
struct DueBody {
    expected: Number,
    paid: Number,
    due: Number,
}

/// Repayments are not spread over the instalments: whoever asks wants the dates.
pub(super) fn schedule(loan: &Loan) -> ScheduleBody<'_> {
    let dates = loan.due_dates();
    let count = u32::try_from(dates.len()).unwrap_or(u32::MAX);
    let (each, last) = loan.terms.amount.split(count);
    let numbered = (1..=count).zip(dates);
    let installments = numbered.map(|(number, date)| {
        let principal = if number == count { last } else { each };
        installment(loan, number, date, principal)
    });
    ScheduleBody { currency: CurrencyBody { code: &loan.terms.currency }, installments: installments.collect() }
}

fn installment(loan: &Loan, number: u32, date: NaiveDate, principal: Amount) -> InstallmentBody {
    let expected = |amount: Amount| {
        let amount = Number(amount);
        PartBody { amount: DueBody { expected: amount, paid: NOTHING, due: amount } }
    };
    InstallmentBody {
        encoded_key: encoded_key("installment", &format!("{}/{number}", loan.id)),
        parent_account_key: loan.encoded_key.clone(),
        number: number.to_string(),
        due_date: midnight(date, *loan.created_at.offset()),
        state: "PENDING",
        principal: expected(principal),
        interest: expected(Amount::ZERO),
        fee: expected(Amount::ZERO),
        penalty: expected(Amount::ZERO),
    }
}

pub(super) fn client(id: &str) -> Value {
    let encoded_key = encoded_key("client", id);
    json!({ "encodedKey": encoded_key, "id": id, "state": "ACTIVE", "firstName": "Client", "lastName": id })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArrangementBody<'a> {
    encoded_key: String,
    id: &'a str,
    state: &'static str,
    holder_key: String,
    holder_type: &'static str,
    amount: Number,
    currency: CurrencyBody<'a>,
    exposure_limit_type: &'static str,
}

pub(super) fn arrangement(arrangement: &Arrangement) -> ArrangementBody<'_> {
    ArrangementBody {
        encoded_key: encoded_key("arrangement", &arrangement.id),
        id: &arrangement.id,
        state: "ACTIVE",
        holder_key: encoded_key("client", &arrangement.client_id),
        holder_type: "CLIENT",
        amount: Number(arrangement.amount),
        currency: CurrencyBody { code: &arrangement.currency },
        exposure_limit_type: "APPROVED_AMOUNT",
    }
}
