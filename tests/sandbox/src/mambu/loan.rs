//! A loan account, and the states it goes through.

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::encoded_key;
use super::schedule::ScheduleSettings;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LoanState {
    PartialApplication,
    PendingApproval,
    Approved,
    Active,
    Closed,
}

/// Why a loan is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SubState {
    Rejected,
    Withdrawn,
}

/// The disbursement that made a loan active.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Disbursed {
    pub(crate) transaction_key: String,
    pub(crate) value_date: DateTime<FixedOffset>,
    pub(crate) first_repayment: NaiveDate,
    pub(crate) channel: Option<String>,
}

/// What a new loan is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) amount: Amount,
    pub(crate) currency: String,
    pub(crate) client_id: String,
    pub(crate) credit_line_id: String,
    pub(crate) schedule: ScheduleSettings,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Loan {
    pub(crate) id: String,
    pub(crate) encoded_key: String,
    pub(crate) terms: Terms,
    pub(crate) state: LoanState,
    pub(crate) sub_state: Option<SubState>,
    pub(crate) created_at: DateTime<FixedOffset>,
    pub(crate) approved_at: Option<DateTime<FixedOffset>>,
    pub(crate) modified_at: DateTime<FixedOffset>,
    pub(crate) disbursed: Option<Disbursed>,
    /// Principal that the client owes.
    pub(crate) balance: Amount,
    pub(crate) paid: Amount,
    /// Where the first due date is none that follows from the settings or was asked for.
    pub(crate) decided_first_due_date: Option<NaiveDate>,
}

/// Why a loan does not change its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unchanged {
    UnknownAction,
    NotFromHere,
}

impl Loan {
    pub(crate) fn new(id: &str, terms: Terms, state: LoanState, now: DateTime<FixedOffset>) -> Self {
        Self {
            id: id.to_owned(),
            encoded_key: encoded_key("loan", id),
            terms,
            state,
            sub_state: None,
            created_at: now,
            approved_at: (state == LoanState::Approved).then_some(now),
            modified_at: now,
            disbursed: None,
            balance: Amount::ZERO,
            paid: Amount::ZERO,
            decided_first_due_date: None,
        }
    }

    /// The day its schedule begins: that of the disbursement, or of its creation while it is not disbursed.
    pub(crate) fn first_day(&self) -> NaiveDate {
        self.disbursed.as_ref().map_or(self.created_at, |disbursed| disbursed.value_date).date_naive()
    }

    /// The due dates of its schedule.
    pub(crate) fn due_dates(&self) -> Vec<NaiveDate> {
        let settings = &self.terms.schedule;
        let chosen = self.disbursed.as_ref().map(|disbursed| disbursed.first_repayment);
        let first = self.decided_first_due_date.or(chosen).or_else(|| settings.first_due_date(self.first_day()));
        first.map_or_else(Vec::new, |first| settings.due_dates(self.first_day(), first))
    }

    /// Takes an action of `changeState`.
    pub(crate) fn change_state(&mut self, action: &str, now: DateTime<FixedOffset>) -> Result<(), Unchanged> {
        use LoanState::{Approved, Closed, PartialApplication, PendingApproval};

        let (state, sub_state) = match (action, self.state, self.sub_state) {
            ("REQUEST_APPROVAL", PartialApplication, _)
            | ("UNDO_APPROVE", Approved, _)
            | ("UNDO_REJECT", Closed, Some(SubState::Rejected))
            | ("UNDO_WITHDRAW", Closed, Some(SubState::Withdrawn)) => (PendingApproval, None),
            ("SET_INCOMPLETE", PendingApproval, _) => (PartialApplication, None),
            ("APPROVE", PendingApproval, _) => (Approved, None),
            ("REJECT", PartialApplication | PendingApproval | Approved, _) => (Closed, Some(SubState::Rejected)),
            ("WITHDRAW", PartialApplication | PendingApproval | Approved, _) => (Closed, Some(SubState::Withdrawn)),
            (action, ..) if ACTIONS.contains(&action) => return Err(Unchanged::NotFromHere),
            _ => return Err(Unchanged::UnknownAction),
        };
        (self.state, self.sub_state, self.modified_at) = (state, sub_state, now);
        self.approved_at = (state == Approved).then_some(now);
        Ok(())
    }
}

const ACTIONS: [&str; 10] = [
    "REQUEST_APPROVAL",
    "SET_INCOMPLETE",
    "APPROVE",
    "UNDO_APPROVE",
    "REJECT",
    "WITHDRAW",
    "CLOSE",
    "UNDO_REJECT",
    "UNDO_WITHDRAW",
    "UNDO_CLOSE",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mambu::samples;

    #[test]
    fn a_loan_is_approved_from_pending_alone() {
        let now = samples::now();
        let mut loan = samples::loan("LN-1");
        assert_eq!(loan.change_state("APPROVE", now), Err(Unchanged::NotFromHere));
        loan.change_state("UNDO_APPROVE", now).unwrap();
        assert_eq!((loan.state, loan.approved_at), (LoanState::PendingApproval, None));
        loan.change_state("APPROVE", now).unwrap();
        assert_eq!((loan.state, loan.approved_at), (LoanState::Approved, Some(now)));
        loan.change_state("REJECT", now).unwrap();
        assert_eq!((loan.state, loan.sub_state), (LoanState::Closed, Some(SubState::Rejected)));
        assert_eq!(loan.change_state("UNDO_WITHDRAW", now), Err(Unchanged::NotFromHere));
        assert_eq!(loan.change_state("CLOSE", now), Err(Unchanged::NotFromHere));
        assert_eq!(loan.change_state("OPEN", now), Err(Unchanged::UnknownAction));
    }

    #[test]
    fn a_decided_date_wins_over_the_settings() {
        let mut loan = samples::loan("LN-1");
        assert_eq!(loan.due_dates()[0].to_string(), "2026-06-14");
        loan.decided_first_due_date = Some("2026-06-20".parse().unwrap());
        assert_eq!(loan.due_dates()[0].to_string(), "2026-06-20");
        assert_eq!(loan.due_dates().len(), 12);
    }
}
