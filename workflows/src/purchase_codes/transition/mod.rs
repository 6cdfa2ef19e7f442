//! The decisions of a purchase, as pure functions: whether a loan fits a request, what its one-time password confirms,
//! when it is first repaid, and what a scan is worth.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::{
    CodeStatus, DateError, LoanRefusal, PurchaseRequest, Schedule, UseRefusal, UseRequest, first_payment_date,
};
use crate::contracts::core_banking::Loan;

/// Whether the loan is the one that the request means; none is a loan that nobody knows.
pub fn check_loan(request: &PurchaseRequest, loan: Option<&Loan>) -> Result<(), LoanRefusal> {
    match loan {
        Some(loan) if !loan.is_the_clients => Err(LoanRefusal::NotTheClients),
        Some(loan) if !loan.is_of_the_credit_line => Err(LoanRefusal::OtherCreditLine),
        Some(loan) if !loan.is_approved && !loan.is_disbursed_for_purchase => Err(LoanRefusal::NotApproved),
        Some(loan) if loan.amount != request.amount => Err(LoanRefusal::OtherAmount),
        Some(_) => Ok(()),
        None => Err(LoanRefusal::NotTheClients),
    }
}

/// What the one-time password confirms: loan, amount, currency and provider as a JSON array. Two purchases that differ
/// in one of them differ in this text.
pub fn binding(request: &PurchaseRequest) -> String {
    let PurchaseRequest { loan_account_id, amount, provider, .. } = request;
    let decimal = amount.to_decimal();
    let confirmed = [loan_account_id.as_str(), decimal.as_str(), amount.currency.code(), provider.as_str()];
    serde_json::Value::from(confirmed).to_string()
}

/// When a loan is disbursed, and when it is first repaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisbursementTerms {
    /// Date of the disbursement, in the organisation's time.
    pub value_date: DateTime<FixedOffset>,
    /// First repayment date.
    pub first_payment_date: NaiveDate,
}

/// The terms of a disbursement at `now`. Which day that is, the organisation's clock says.
pub fn disbursement_terms(
    schedule: &Schedule,
    now: DateTime<Utc>,
    offset: FixedOffset,
) -> Result<DisbursementTerms, DateError> {
    let value_date = now.with_timezone(&offset);
    let first_payment_date = first_payment_date(schedule, value_date.date_naive())?;
    Ok(DisbursementTerms { value_date, first_payment_date })
}

/// What a scan is held against.
#[derive(Debug, Clone, Copy)]
pub struct ScanFacts<'a> {
    /// Whether what was scanned is this purchase's code. Whoever has the key of the codes compares.
    pub code_matches: bool,
    /// Who may scan the code.
    pub provider: &'a str,
    /// Where the code stands.
    pub status: CodeStatus,
    /// End of the time to scan: at this instant it is too late.
    pub expires_at: DateTime<Utc>,
}

/// Whether the scan uses the code. Of several reasons against it the first is told, so that whoever does not know the
/// code learns nothing about it.
pub fn scan_verdict(facts: &ScanFacts<'_>, request: &UseRequest, now: DateTime<Utc>) -> Result<(), UseRefusal> {
    match facts.status {
        _ if !facts.code_matches => Err(UseRefusal::WrongCode),
        _ if facts.provider != request.provider => Err(UseRefusal::OtherProvider),
        CodeStatus::Usado => Err(UseRefusal::AlreadyUsed),
        CodeStatus::Vencido => Err(UseRefusal::Expired),
        CodeStatus::Generado if now >= facts.expires_at => Err(UseRefusal::Expired),
        CodeStatus::Generado => Ok(()),
    }
}

#[cfg(test)]
mod tests;
