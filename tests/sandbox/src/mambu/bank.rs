//! Everything that Mambu knows.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::amount::Amount;
use super::encoded_key;
use super::keys::Keys;
use super::loan::Loan;
use super::transaction::{Kind, Transaction};
use crate::state::Record;

/// A command as it arrived, whatever became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) at: DateTime<Utc>,
    pub(crate) operation: String,
    pub(crate) path: String,
    pub(crate) idempotency_key: Option<Uuid>,
    pub(crate) body_sha256: String,
}

/// A credit line: as much of it as follows from its loans.
#[derive(Debug, Clone)]
pub(crate) struct Arrangement {
    pub(crate) id: String,
    /// Of its first loan.
    pub(crate) client_id: String,
    /// Of its first loan.
    pub(crate) currency: String,
    /// Of all its loans together.
    pub(crate) amount: Amount,
}

#[derive(Debug, Default)]
pub(crate) struct Bank {
    loans: BTreeMap<String, Loan>,
    arrangements: BTreeMap<String, Arrangement>,
    transactions: Vec<Transaction>,
    calls: Vec<Call>,
    pub(crate) keys: Keys,
    // Each thing is found by its id and by its encoded key.
    loan_ids: BTreeMap<String, String>,
    client_ids: BTreeMap<String, String>,
    arrangement_ids: BTreeMap<String, String>,
    positions: BTreeMap<String, usize>,
    by_external_id: BTreeMap<String, usize>,
    by_loan: BTreeMap<String, Vec<usize>>,
}

impl Bank {
    pub(crate) fn loan(&self, name: &str) -> Option<&Loan> {
        self.loans.get(self.loan_ids.get(name)?)
    }

    /// The client's id; a client exists when a loan names one.
    pub(crate) fn client_id(&self, name: &str) -> Option<&str> {
        self.client_ids.get(name).map(String::as_str)
    }

    pub(crate) fn arrangement(&self, name: &str) -> Option<&Arrangement> {
        self.arrangements.get(self.arrangement_ids.get(name)?)
    }

    pub(crate) fn transaction(&self, name: &str) -> Option<&Transaction> {
        self.transactions.get(*self.positions.get(name)?)
    }

    pub(crate) fn has_external_id(&self, external_id: &str) -> bool {
        self.by_external_id.contains_key(external_id)
    }

    /// All transactions, oldest first.
    pub(crate) fn transactions(&self) -> impl DoubleEndedIterator<Item = &Transaction> {
        self.transactions.iter()
    }

    /// The transactions of a loan, oldest first.
    pub(crate) fn transactions_of(&self, loan_id: &str) -> impl DoubleEndedIterator<Item = &Transaction> {
        let positions = self.by_loan.get(loan_id).map(Vec::as_slice).unwrap_or_default();
        positions.iter().filter_map(|position| self.transactions.get(*position))
    }

    /// A repayment that nobody took back.
    pub(crate) fn has_standing_repayment(&self, loan_id: &str) -> bool {
        let stands = |transaction: &Transaction| transaction.kind == Kind::Repayment && !transaction.was_adjusted();
        self.transactions_of(loan_id).any(stands)
    }

    pub(crate) fn next_transaction_id(&self) -> String {
        (self.transactions.len() + 1).to_string()
    }

    /// What faults may know a loan by: what was asked for, its id and its client's.
    pub(crate) fn names_of_loan(&self, name: &str) -> Vec<String> {
        let mut names = vec![name.to_owned()];
        names.extend(self.loan(name).map(|loan| loan.id.clone()));
        names.extend(self.loan(name).map(|loan| loan.terms.client_id.clone()));
        names
    }

    /// The same of a transaction: also its external id, or that of what it takes back, and its loan's names.
    pub(crate) fn names_of_transaction(&self, name: &str) -> Vec<String> {
        let Some(transaction) = self.transaction(name) else {
            return vec![name.to_owned()];
        };
        let original = transaction.original_key.as_ref().and_then(|key| self.transaction(key));
        let mut names = self.names_of_loan(&transaction.loan_id);
        names.push(name.to_owned());
        names.extend(transaction.external_id.clone());
        names.extend(original.and_then(|original| original.external_id.clone()));
        names
    }

    pub(crate) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter()
    }

    pub(crate) fn put_loan(&mut self, loan: Loan) {
        if !self.loans.contains_key(&loan.id) {
            self.loan_ids.insert(loan.encoded_key.clone(), loan.id.clone());
            self.loan_ids.insert(loan.id.clone(), loan.id.clone());
            name(&mut self.client_ids, "client", &loan.terms.client_id);
            name(&mut self.arrangement_ids, "arrangement", &loan.terms.credit_line_id);
            self.add_to_arrangement(&loan);
        }
        self.loans.insert(loan.id.clone(), loan);
    }

    fn add_to_arrangement(&mut self, loan: &Loan) {
        let terms = &loan.terms;
        let new = || Arrangement {
            id: terms.credit_line_id.clone(),
            client_id: terms.client_id.clone(),
            currency: terms.currency.clone(),
            amount: Amount::ZERO,
        };
        let arrangement = self.arrangements.entry(terms.credit_line_id.clone()).or_insert_with(new);
        arrangement.amount = arrangement.amount + terms.amount;
    }

    pub(crate) fn put_transaction(&mut self, transaction: Transaction) {
        let known = self.positions.get(&transaction.id).and_then(|position| self.transactions.get_mut(*position));
        if let Some(known) = known {
            *known = transaction;
            return;
        }
        let position = self.transactions.len();
        self.positions.insert(transaction.id.clone(), position);
        self.positions.insert(transaction.encoded_key.clone(), position);
        self.by_loan.entry(transaction.loan_id.clone()).or_default().push(position);
        if let Some(external_id) = &transaction.external_id {
            self.by_external_id.insert(external_id.clone(), position);
        }
        self.transactions.push(transaction);
    }

    pub(crate) fn put_call(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// All that is saved.
    pub(crate) fn records(&self) -> Vec<Record> {
        let loans = self.loans.values().cloned().map(Box::new).map(Record::Loan);
        let transactions = self.transactions.iter().cloned().map(Box::new).map(Record::LoanTransaction);
        let replies = self.keys.kept().cloned().map(Record::MambuReply);
        let calls = self.calls.iter().cloned().map(Record::MambuCall);
        loans.chain(transactions).chain(replies).chain(calls).collect()
    }
}

fn name(ids: &mut BTreeMap<String, String>, kind: &str, id: &str) {
    ids.insert(encoded_key(kind, id), id.to_owned());
    ids.insert(id.to_owned(), id.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mambu::samples;

    #[test]
    fn things_are_found_by_id_and_by_encoded_key() {
        let mut bank = Bank::default();
        bank.put_loan(samples::loan("LN-1"));
        bank.put_loan(samples::loan("LN-2"));
        let key = bank.loan("LN-1").unwrap().encoded_key.clone();
        assert_eq!(key.len(), 32);
        assert_eq!(bank.loan(&key).unwrap().id, "LN-1");
        assert_eq!(bank.client_id(&encoded_key("client", "C-1")), Some("C-1"));
        let line = bank.arrangement(&encoded_key("arrangement", "CL-1")).unwrap();
        assert_eq!((line.client_id.as_str(), line.amount.to_string().as_str()), ("C-1", "2500.00"));
        assert!(bank.loan("C-1").is_none() && bank.client_id("LN-1").is_none());
    }

    #[test]
    fn a_loan_that_changes_counts_once() {
        let mut bank = Bank::default();
        bank.put_loan(samples::loan("LN-1"));
        bank.put_loan(samples::loan("LN-1"));
        assert_eq!(bank.arrangement("CL-1").unwrap().amount.to_string(), "1250.00");
        assert_eq!(bank.records().len(), 1);
    }
}
