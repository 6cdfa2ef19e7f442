//! What changes a loan: disbursing it, repaying it, and taking either back.

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde_json::{Value, json};

use super::amount::Amount;
use super::bank::Bank;
use super::encoded_key;
use super::loan::{Disbursed, Loan, LoanState};
use super::refusal::Refusal;
use super::transaction::{Kind, Transaction};
use crate::state::{Record, World};

type Time = DateTime<FixedOffset>;

/// A disbursement as it is asked for; what is left out, Mambu decides.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) external_id: Option<String>,
    pub(crate) amount: Option<Amount>,
    pub(crate) currency: Option<String>,
    pub(crate) value_date: Option<Time>,
    pub(crate) booking_date: Option<Time>,
    pub(crate) first_repayment: Option<Time>,
    pub(crate) notes: Option<String>,
    pub(crate) channel: Option<String>,
}

/// An adjustment as it is asked for.
#[derive(Debug)]
pub(crate) struct Reversal {
    pub(crate) notes: String,
    pub(crate) booking_date: Option<Time>,
}

pub(crate) fn unknown_loan() -> Refusal {
    Refusal::not_found("INVALID_LOAN_ACCOUNT_ID").at("loanAccountId")
}

pub(crate) fn unknown_transaction() -> Refusal {
    Refusal::not_found("INVALID_TRANSACTION_ID").at("loanTransactionId")
}

/// Disburses an approved loan: the whole of it, once.
pub(crate) fn disburse(world: &mut World, loan: &str, order: Order, now: Time) -> Result<Transaction, Refusal> {
    let mut loan = world.bank.loan(loan).cloned().ok_or_else(unknown_loan)?;
    check_state(&loan)?;
    check_order(&world.bank, &loan, &order)?;
    let value_date = order.value_date.unwrap_or(now);
    let first_repayment = first_repayment(&loan, &order, value_date, now)?;
    loan.balance = loan.terms.amount;
    let transaction = Transaction {
        external_id: order.external_id,
        value_date,
        booking_date: order.booking_date.unwrap_or(value_date),
        notes: order.notes,
        channel: order.channel.clone(),
        ..blank(&world.bank, &loan, Kind::Disbursement, loan.terms.amount, now)
    };
    let transaction_key = transaction.encoded_key.clone();
    loan.disbursed = Some(Disbursed { transaction_key, value_date, first_repayment, channel: order.channel });
    loan.state = LoanState::Active;
    world.happened("mambu", "disbursement", detail(&loan, &transaction));
    keep(world, loan, &transaction, now);
    Ok(transaction)
}

fn check_state(loan: &Loan) -> Result<(), Refusal> {
    match loan.state {
        LoanState::Approved => Ok(()),
        LoanState::Active => Err(Refusal::of("ACCOUNT_ALREADY_DISBURSED")),
        _ => Err(Refusal::of("INVALID_ACCOUNT_STATE")),
    }
}

fn check_order(bank: &Bank, loan: &Loan, order: &Order) -> Result<(), Refusal> {
    let external_id = order.external_id.as_deref();
    if external_id.is_some_and(str::is_empty) {
        return Err(Refusal::of("INVALID_EXTERNAL_ID").at("externalId"));
    }
    // For ever, also when what had it was taken back.
    if external_id.is_some_and(|external_id| bank.has_external_id(external_id)) {
        return Err(Refusal::of("EXTERNAL_ID_ALREADY_EXISTS").at("externalId"));
    }
    match order.amount {
        Some(Amount::ZERO) => return Err(Refusal::of("ZERO_DISBURSE_AMOUNT").at("amount")),
        // These loans are disbursed as a whole.
        Some(amount) if amount != loan.terms.amount => return Err(Refusal::of("INVALID_AMOUNT").at("amount")),
        _ => {}
    }
    if order.currency.as_ref().is_some_and(|currency| *currency != loan.terms.currency) {
        return Err(Refusal::of("ACCOUNT_CURRENCY_NOT_MATCH").at("originalCurrencyCode"));
    }
    Ok(())
}

/// The day of the first repayment: the one asked for, whatever the product's settings say, or the one they say.
fn first_repayment(loan: &Loan, order: &Order, value_date: Time, now: Time) -> Result<NaiveDate, Refusal> {
    let disbursed = value_date.date_naive();
    if disbursed > now.date_naive() {
        return Err(Refusal::of("INVALID_DISBURSEMENT_DATE").at("valueDate"));
    }
    let Some(asked) = order.first_repayment.map(|time| time.date_naive()) else {
        let first = loan.terms.schedule.first_due_date(disbursed);
        return first.ok_or_else(|| Refusal::of("INVALID_FIRST_REPAYMENT_DUE_DATE"));
    };
    if asked < disbursed {
        let reason = "FIRST_REPAYMENT_DATE_BEFORE_EXPECTED_DISBURSEMENT_DATE";
        return Err(Refusal::of(reason).at("firstRepaymentDate"));
    }
    Ok(asked)
}

/// Takes part of a disbursed loan back in.
pub(crate) fn repay(world: &mut World, loan: &str, amount: Option<Amount>, now: Time) -> Result<Transaction, Refusal> {
    let mut loan = world.bank.loan(loan).cloned().ok_or_else(unknown_loan)?;
    if loan.state != LoanState::Active {
        return Err(Refusal::of("INVALID_ACCOUNT_STATE_FOR_REPAYMENTS"));
    }
    let amount = amount.unwrap_or(loan.terms.amount.split(loan.terms.schedule.installments).0);
    if amount == Amount::ZERO {
        return Err(Refusal::of("INVALID_AMOUNT").at("amount"));
    }
    if amount > loan.balance {
        return Err(Refusal::of("EXCESS_REPAYMENT_ERROR").at("amount"));
    }
    (loan.balance, loan.paid) = (loan.balance - amount, loan.paid + amount);
    let transaction = blank(&world.bank, &loan, Kind::Repayment, amount, now);
    world.happened("mambu", "repayment", detail(&loan, &transaction));
    keep(world, loan, &transaction, now);
    Ok(transaction)
}

/// Takes a disbursement or a repayment back, once.
pub(crate) fn adjust(
    world: &mut World,
    transaction: &str,
    reversal: Reversal,
    now: Time,
) -> Result<Transaction, Refusal> {
    let mut original = world.bank.transaction(transaction).cloned().ok_or_else(unknown_transaction)?;
    let mut loan = world.bank.loan(&original.loan_id).cloned().ok_or_else(unknown_loan)?;
    let kind = check_adjustable(&world.bank, &original, &loan)?;
    undo(&mut loan, &original);
    let adjustment = Transaction {
        notes: Some(reversal.notes),
        booking_date: reversal.booking_date.unwrap_or(now),
        original_key: Some(original.encoded_key.clone()),
        ..blank(&world.bank, &loan, kind, original.amount, now)
    };
    original.adjustment_key = Some(adjustment.encoded_key.clone());
    let mut detail = detail(&loan, &adjustment);
    detail["external_id"] = json!(original.external_id);
    detail["adjusts"] = json!(original.id);
    world.happened("mambu", effect_of(kind), detail);
    keep(world, loan, &adjustment, now);
    keep_transaction(world, &original);
    Ok(adjustment)
}

fn check_adjustable(bank: &Bank, original: &Transaction, loan: &Loan) -> Result<Kind, Refusal> {
    let Some(kind) = original.kind.adjustment() else {
        return Err(Refusal::of("TRANSACTION_TYPE_DOES_NOT_ALLOW_ADJUSTMENT"));
    };
    if original.was_adjusted() {
        return Err(Refusal::of("TRANSACTION_ALREADY_ADJUSTED"));
    }
    if loan.state != LoanState::Active {
        return Err(Refusal::of("INVALID_ACCOUNT_STATE"));
    }
    if original.kind == Kind::Disbursement && bank.has_standing_repayment(&loan.id) {
        return Err(Refusal::of("DISBURSEMENT_DATE_BEFORE_NOT_REVERSED_TRANSACTION"));
    }
    Ok(kind)
}

/// What the loan is without the transaction.
fn undo(loan: &mut Loan, original: &Transaction) {
    if original.kind == Kind::Repayment {
        (loan.balance, loan.paid) = (loan.balance + original.amount, loan.paid - original.amount);
        return;
    }
    (loan.state, loan.disbursed) = (LoanState::Approved, None);
    loan.balance = Amount::ZERO;
}

fn effect_of(adjustment: Kind) -> &'static str {
    if adjustment == Kind::DisbursementAdjustment { "adjustment" } else { "repayment_adjustment" }
}

/// The next transaction of a loan, as far as it is the same for all kinds.
fn blank(bank: &Bank, loan: &Loan, kind: Kind, amount: Amount, now: Time) -> Transaction {
    let id = bank.next_transaction_id();
    Transaction {
        encoded_key: encoded_key("transaction", &id),
        id,
        external_id: None,
        kind,
        loan_id: loan.id.clone(),
        amount,
        balance: loan.balance,
        created_at: now,
        value_date: now,
        booking_date: now,
        notes: None,
        channel: None,
        original_key: None,
        adjustment_key: None,
    }
}

fn detail(loan: &Loan, transaction: &Transaction) -> Value {
    json!({
        "loan_account_id": loan.id, "client_id": loan.terms.client_id, "external_id": transaction.external_id,
        "transaction_id": transaction.id, "amount": transaction.amount, "currency": loan.terms.currency,
    })
}

fn keep(world: &mut World, mut loan: Loan, transaction: &Transaction, now: Time) {
    loan.modified_at = now;
    keep_loan(world, loan);
    keep_transaction(world, transaction);
}

pub(crate) fn keep_loan(world: &mut World, loan: Loan) {
    world.save(Record::Loan(Box::new(loan.clone())));
    world.bank.put_loan(loan);
}

fn keep_transaction(world: &mut World, transaction: &Transaction) {
    world.save(Record::LoanTransaction(Box::new(transaction.clone())));
    world.bank.put_transaction(transaction.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mambu::samples;

    fn world() -> World {
        let mut world = World::new();
        keep_loan(&mut world, samples::loan("LN-1"));
        world
    }

    fn order(external_id: &str) -> Order {
        Order { external_id: Some(external_id.to_owned()), ..Order::default() }
    }

    fn disbursed(world: &mut World, external_id: &str) -> Transaction {
        disburse(world, "LN-1", order(external_id), samples::now()).unwrap()
    }

    fn reversed(world: &mut World, transaction: &str) -> Result<Transaction, Refusal> {
        let reversal = Reversal { notes: "unused".to_owned(), booking_date: None };
        adjust(world, transaction, reversal, samples::now())
    }

    fn reason<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().reason
    }

    #[test]
    fn a_loan_is_disbursed_once_and_again_when_it_was_taken_back() {
        let mut world = world();
        let first = disbursed(&mut world, "pc-1");
        let loan = world.bank.loan("LN-1").unwrap();
        assert_eq!(loan.state, LoanState::Active);
        assert_eq!(loan.disbursed.as_ref().unwrap().first_repayment.to_string(), "2026-06-14");
        assert_eq!(reason(disburse(&mut world, "LN-1", order("pc-2"), samples::now())), "ACCOUNT_ALREADY_DISBURSED");

        let adjustment = reversed(&mut world, &first.id).unwrap();
        assert_eq!(adjustment.original_key.as_deref(), Some(first.encoded_key.as_str()));
        let loan = world.bank.loan("LN-1").unwrap();
        assert_eq!((loan.state, loan.balance), (LoanState::Approved, Amount::ZERO));
        assert!(loan.disbursed.is_none());
        assert_eq!(reason(reversed(&mut world, &first.id)), "TRANSACTION_ALREADY_ADJUSTED");
        assert_eq!(reason(reversed(&mut world, &adjustment.id)), "TRANSACTION_TYPE_DOES_NOT_ALLOW_ADJUSTMENT");

        let again = disburse(&mut world, "LN-1", order("pc-1"), samples::now());
        assert_eq!(reason(again), "EXTERNAL_ID_ALREADY_EXISTS");
        disbursed(&mut world, "pc-2");
        let effects: Vec<_> = world.entries().map(|entry| entry.effect.as_str()).collect();
        assert_eq!(effects, ["disbursement", "adjustment", "disbursement"]);
    }

    #[test]
    fn a_repayment_stands_in_the_way_until_it_is_taken_back() {
        let mut world = world();
        let disbursement = disbursed(&mut world, "pc-1");
        let repayment = repay(&mut world, "LN-1", None, samples::now()).unwrap();
        assert_eq!(repayment.amount.to_string(), "104.16");
        let blocked = reason(reversed(&mut world, &disbursement.encoded_key));
        assert_eq!(blocked, "DISBURSEMENT_DATE_BEFORE_NOT_REVERSED_TRANSACTION");
        reversed(&mut world, &repayment.id).unwrap();
        assert_eq!(world.bank.loan("LN-1").unwrap().balance, disbursement.amount);
        reversed(&mut world, &disbursement.id).unwrap();
    }

    #[test]
    fn what_cannot_be_disbursed_is_refused_and_changes_nothing() {
        let mut world = world();
        let now = samples::now();
        let amount = |text: &str| Order { amount: Amount::parse(text), ..Order::default() };
        let day = chrono::TimeDelta::days(1);
        for (order, expected) in [
            (amount("0"), "ZERO_DISBURSE_AMOUNT"),
            (amount("1249.99"), "INVALID_AMOUNT"),
            (order(""), "INVALID_EXTERNAL_ID"),
            (Order { currency: Some("EUR".to_owned()), ..Order::default() }, "ACCOUNT_CURRENCY_NOT_MATCH"),
            (Order { value_date: Some(now + day), ..Order::default() }, "INVALID_DISBURSEMENT_DATE"),
            (
                Order { first_repayment: Some(now - day), ..Order::default() },
                "FIRST_REPAYMENT_DATE_BEFORE_EXPECTED_DISBURSEMENT_DATE",
            ),
        ] {
            assert_eq!(reason(disburse(&mut world, "LN-1", order, now)), expected);
        }
        assert_eq!(reason(disburse(&mut world, "LN-2", Order::default(), now)), "INVALID_LOAN_ACCOUNT_ID");
        assert_eq!(world.entries().count(), 0);
        assert_eq!(world.bank.transactions().count(), 0);
    }

    #[test]
    fn a_first_repayment_that_is_asked_for_is_taken() {
        let mut world = world();
        let asked = Order { first_repayment: Some("2026-07-01T00:00:00-06:00".parse().unwrap()), ..Order::default() };
        disburse(&mut world, "LN-1", asked, samples::now()).unwrap();
        assert_eq!(world.bank.loan("LN-1").unwrap().due_dates()[0].to_string(), "2026-07-01");
    }
}
