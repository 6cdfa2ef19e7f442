//! What a purchase was refused for, as callers see it.

use workflows::purchase_codes::{LoanRefusal, Refusal, UseRefusal};

use super::body::time;
use crate::problem::{FieldError, Problem, kinds};

/// Whose loan it is then, or whether there is one, is not told.
const NOT_THE_CLIENTS: &str = "is no loan of this client";

/// Why nothing was disbursed.
pub(super) fn not_issued(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Loan(refusal) => loan_refused(*refusal),
        Refusal::PurchaseActive => {
            Problem::new(kinds::PURCHASE_ACTIVE, "a purchase of this loan is active, or was used")
        }
        Refusal::Otp { attempts_left } => {
            let detail = "it is wrong, expired or used, or confirms something else: begin anew with a new key";
            Problem::new(kinds::OTP_REFUSED, detail).member("attempts_left", *attempts_left)
        }
        Refusal::OtpLocked { until } => {
            let until = time(*until);
            let detail = format!("no one-time password of this client is taken until {until}");
            Problem::new(kinds::OTP_LOCKED, detail).member("locked_until", until)
        }
        Refusal::Unanswered => {
            let detail = "nothing was disbursed: begin anew, with a new key and a new one-time password";
            Problem::new(kinds::OTP_UNANSWERED, detail)
        }
        Refusal::Schedule => {
            Problem::new(kinds::SCHEDULE_IMPOSSIBLE, "no first payment date follows from the loan's schedule")
        }
        Refusal::Disbursement { reason } => {
            let detail = format!("the disbursement was refused: {reason}");
            Problem::new(kinds::DISBURSEMENT_REFUSED, detail).member("reason", reason.as_str())
        }
        Refusal::DisbursedElsewhere => {
            Problem::new(kinds::LOAN_DISBURSED_ELSEWHERE, "somebody else has disbursed this loan: no code was issued")
        }
    }
}

fn loan_refused(refusal: LoanRefusal) -> Problem {
    let errors: &[(&str, &str)] = match refusal {
        LoanRefusal::NotTheClients => &[("client_id", NOT_THE_CLIENTS), ("loan_account_id", NOT_THE_CLIENTS)],
        LoanRefusal::OtherCreditLine => &[("credit_line_id", "is not the credit line of the loan")],
        LoanRefusal::NotApproved => &[("loan_account_id", "is not approved, or no longer")],
        LoanRefusal::OtherAmount => &[("amount", "is not the amount and currency of the loan")],
    };
    let errors = errors.iter().map(|(field, detail)| FieldError::new(*field, *detail)).collect();
    Problem::with_errors(kinds::LOAN_REFUSED, "nothing was disbursed: see \"errors\" for each field", errors)
}

/// Why a scan changes nothing.
pub(super) fn not_used(refusal: UseRefusal) -> Problem {
    let (reason, detail) = match refusal {
        UseRefusal::WrongCode => ("wrong_code", "this is not the code of this loan"),
        UseRefusal::OtherProvider => ("other_provider", "the code is for another provider"),
        UseRefusal::AlreadyUsed => ("already_used", "the code was used"),
        UseRefusal::Expired => ("expired", "the code has expired"),
    };
    Problem::new(kinds::CODE_NOT_VALID, detail).member("reason", reason)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn each_refusal_has_a_code_and_says_more() {
        let until = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let reason = "INVALID_ACCOUNT_STATE".to_owned();
        for (refusal, code, says) in [
            (Refusal::Loan(LoanRefusal::NotTheClients), "loan_refused", "\"loan_account_id\""),
            (Refusal::Loan(LoanRefusal::NotTheClients), "loan_refused", "\"client_id\""),
            (Refusal::Loan(LoanRefusal::OtherCreditLine), "loan_refused", "\"credit_line_id\""),
            (Refusal::Loan(LoanRefusal::NotApproved), "loan_refused", "\"loan_account_id\""),
            (Refusal::Loan(LoanRefusal::OtherAmount), "loan_refused", "\"amount\""),
            (Refusal::PurchaseActive, "purchase_active", "active"),
            (Refusal::Otp { attempts_left: Some(2) }, "otp_refused", "attempts_left"),
            (Refusal::Otp { attempts_left: None }, "otp_refused", "attempts_left"),
            (Refusal::OtpLocked { until }, "otp_locked", "2026-01-01T00:00:00.000Z"),
            (Refusal::Unanswered, "otp_unanswered", "new key"),
            (Refusal::Schedule, "schedule_impossible", "schedule"),
            (Refusal::Disbursement { reason }, "disbursement_refused", "INVALID_ACCOUNT_STATE"),
            (Refusal::DisbursedElsewhere, "loan_disbursed_elsewhere", "somebody else"),
        ] {
            let problem = not_issued(&refusal);
            assert_eq!(problem.code(), code);
            assert!(format!("{problem:?}").contains(says), "{problem:?}");
        }
    }

    #[test]
    fn every_scan_that_changes_nothing_is_the_same_kind() {
        for (refusal, reason) in [
            (UseRefusal::WrongCode, "wrong_code"),
            (UseRefusal::OtherProvider, "other_provider"),
            (UseRefusal::AlreadyUsed, "already_used"),
            (UseRefusal::Expired, "expired"),
        ] {
            let problem = not_used(refusal);
            assert_eq!(problem.code(), "code_not_valid");
            assert!(format!("{problem:?}").contains(reason), "{problem:?}");
        }
    }
}
