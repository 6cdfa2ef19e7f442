//! Why a door did not open, as callers see it.

use uuid::Uuid;
use workflows::fridge_sales::{Failure, transaction_id};

use crate::problem::{
    Problem,
    kinds::{self, Kind},
};

/// Of Vendron's words, so many characters are repeated.
const LONGEST_WORDS: usize = 200;

/// The refusal of the sale `sale_ref`, which can be read like any other.
pub(super) fn not_opened(sale_ref: Uuid, failure: &Failure) -> Problem {
    let (kind, detail) = explain(failure);
    let problem = Problem::new(kind, detail).member("ref", sale_ref.to_string());
    let problem = problem.member("transaction_id", transaction_id(sale_ref).to_string());
    match failure {
        Failure::Refused { code, .. } => problem.member("vendron_code", *code),
        _ => problem,
    }
}

/// What a failure is called, and what there is to say of it.
pub(super) fn explain(failure: &Failure) -> (Kind, String) {
    let (kind, detail) = match failure {
        Failure::MachineBusy => {
            (kinds::MACHINE_BUSY, "begin anew, with a new key, when that is over (Vendron's code for it is -5)")
        }
        Failure::MachineOffline => {
            (kinds::MACHINE_OFFLINE, "begin anew, with a new key, when it is online again (Vendron's code is -4)")
        }
        Failure::Unanswered => (kinds::FRIDGE_UNANSWERED, "its door was not asked to open: begin anew, with a new key"),
        Failure::Interrupted => {
            (kinds::FRIDGE_INTERRUPTED, "its door was not asked to open: begin anew, with a new key")
        }
        Failure::Refused { code, message } => return (kinds::FRIDGE_REFUSED, in_words(*code, message)),
    };
    (kind, detail.to_owned())
}

fn in_words(code: Option<i64>, message: &str) -> String {
    let words: String = message.chars().take(LONGEST_WORDS).collect();
    match code {
        Some(code) => format!("Vendron refused with code {code}: {words}"),
        None => format!("Vendron refused without a code: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_a_code_and_names_its_transaction() {
        let refused = |code| Failure::Refused { code, message: "No ".repeat(100) };
        for (failure, code, says) in [
            (Failure::MachineBusy, "machine_busy", "-5"),
            (Failure::MachineOffline, "machine_offline", "-4"),
            (refused(Some(-11)), "fridge_refused", "code -11: No No"),
            (refused(None), "fridge_refused", "without a code"),
            (Failure::Unanswered, "fridge_unanswered", "was not asked to open"),
            (Failure::Interrupted, "fridge_interrupted", "was not asked to open"),
        ] {
            let problem = not_opened(Uuid::nil(), &failure);
            let shown = format!("{problem:?}");
            assert_eq!(problem.code(), code);
            assert!(shown.contains(says), "{shown}");
            assert!(shown.contains(&transaction_id(Uuid::nil()).to_string()), "{shown}");
            assert!(shown.matches("No ").count() < 70, "{shown}");
        }
    }
}
