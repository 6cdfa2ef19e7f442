//! A loan is disbursed once, whatever gets lost on the way.
//!
//! The key protects a repeat for as long as Mambu remembers it, the external id for ever. So an attempt that may not be
//! the first looks for the external id before it asks, and a refusal counts only when nothing of ours is there: it may
//! be the echo of an attempt whose answer was lost.

use uuid::Uuid;
use workflows::{
    contracts::core_banking::{Disburse, DisburseResult, Disbursement},
    domain::Money,
};

use crate::clients::mambu::{Decimal, DisbursementOrder, LoanAccount, Mambu, MambuError, Transaction};

const OPERATION: &str = "disbursing a loan";
const DISBURSEMENT: &str = "DISBURSEMENT";
const ALREADY_DISBURSED: &str = "ACCOUNT_ALREADY_DISBURSED";
const ID_EXISTS: &str = "EXTERNAL_ID_ALREADY_EXISTS";
const WRONG_STATE: &str = "INVALID_ACCOUNT_STATE";
const ADJUSTED: &str = "TRANSACTION_ALREADY_ADJUSTED";

/// Disburses, or finds out that it happened.
pub(super) async fn once(mambu: &Mambu, order: &Disburse, was_tried: bool) -> Result<DisburseResult, MambuError> {
    if was_tried && let Some(ours) = find(mambu, order.purchase_id).await? {
        return settled(mambu, order, &ours).await;
    }
    let external_id = external_id(order.purchase_id);
    let request = DisbursementOrder {
        loan_id: &order.loan_account_id,
        key: order.key,
        external_id: &external_id,
        amount: Decimal::new(order.amount.to_decimal()),
        value_date: order.value_date,
        first_repayment_date: order.first_payment_date,
    };
    match mambu.disburse(&request).await {
        Ok(transaction) => settled(mambu, order, &transaction).await,
        Err(MambuError::Refused { reason, .. }) => refused(mambu, order, reason).await,
        Err(error) => Err(error),
    }
}

fn external_id(purchase_id: Uuid) -> String {
    format!("pc-{purchase_id}")
}

/// The disbursement for this purchase; one that still stands, if there are several.
pub(super) async fn find(mambu: &Mambu, purchase_id: Uuid) -> Result<Option<Transaction>, MambuError> {
    let external_id = external_id(purchase_id);
    let found = mambu.transactions_with(&external_id).await?;
    let ours = found.into_iter().filter(|transaction| {
        transaction.kind.as_deref() == Some(DISBURSEMENT) && transaction.external_id.as_ref() == Some(&external_id)
    });
    Ok(ours.min_by_key(Transaction::is_adjusted))
}

/// Our disbursement is there. Its first due date is what Mambu's schedule says.
async fn settled(mambu: &Mambu, order: &Disburse, ours: &Transaction) -> Result<DisburseResult, MambuError> {
    if ours.is_adjusted() {
        return Ok(DisburseResult::Refused { reason: ADJUSTED.to_owned() });
    }
    if !is_of(&order.amount, ours) {
        return Err(MambuError::senseless(OPERATION, "another amount was disbursed"));
    }
    let due = mambu.schedule(&order.loan_account_id).await?.first_due_date();
    let first_payment_date = due.ok_or_else(|| MambuError::senseless(OPERATION, "its schedule has no due date"))?;
    Ok(DisburseResult::Disbursed(Disbursement {
        transaction_id: ours.id.clone(),
        value_date: ours.value_date.unwrap_or(order.value_date),
        first_payment_date,
    }))
}

fn is_of(amount: &Money, transaction: &Transaction) -> bool {
    let theirs = transaction.amount.as_ref().map(|theirs| Money::parse(theirs.as_str(), amount.currency.clone()));
    theirs.is_none_or(|theirs| theirs.as_ref() == Ok(amount))
}

async fn refused(mambu: &Mambu, order: &Disburse, reason: String) -> Result<DisburseResult, MambuError> {
    if let Some(ours) = find(mambu, order.purchase_id).await? {
        return settled(mambu, order, &ours).await;
    }
    match reason.as_str() {
        // It is somewhere, and the search does not show it yet.
        ID_EXISTS => Err(MambuError::senseless(OPERATION, "the external id exists and is not found")),
        ALREADY_DISBURSED | WRONG_STATE => by_whom(mambu, order, reason).await,
        _ => Ok(DisburseResult::Refused { reason }),
    }
}

/// A search may lag behind what happened; the loan itself names the transaction that made it active.
pub(super) async fn find_by_loan(
    mambu: &Mambu,
    loan: &LoanAccount,
    purchase_id: Uuid,
) -> Result<Option<Transaction>, MambuError> {
    let first = activation(mambu, loan).await?;
    Ok(first.filter(|first| is_for(first, purchase_id)))
}

async fn activation(mambu: &Mambu, loan: &LoanAccount) -> Result<Option<Transaction>, MambuError> {
    match &loan.activation_transaction_key {
        Some(key) => mambu.transaction(key).await,
        None => Ok(None),
    }
}

fn is_for(transaction: &Transaction, purchase_id: Uuid) -> bool {
    transaction.external_id.as_deref() == Some(&external_id(purchase_id))
}

/// Whose disbursement it is that stands in the way of ours.
async fn by_whom(mambu: &Mambu, order: &Disburse, reason: String) -> Result<DisburseResult, MambuError> {
    let first = match mambu.loan(&order.loan_account_id).await? {
        Some(loan) => activation(mambu, &loan).await?,
        None => None,
    };
    match first.filter(|first| !first.is_adjusted()) {
        Some(first) if is_for(&first, order.purchase_id) => settled(mambu, order, &first).await,
        None if reason != ALREADY_DISBURSED => Ok(DisburseResult::Refused { reason }),
        _ => Ok(DisburseResult::DisbursedElsewhere),
    }
}
