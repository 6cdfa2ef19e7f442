use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{CancellationReason, TransactWriteItem},
};
use uuid::Uuid;

use super::{
    PurchaseTables, TableError,
    change::{Change, Item},
};

const CONDITION_FAILED: &str = "ConditionalCheckFailed";
const NOTHING: &str = "None";

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transacted {
    /// Everything is written.
    Done,
    /// Nothing is written.
    Refused(FailedConditions),
}

/// Which conditions did not hold, in the order of the changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FailedConditions(Vec<bool>);

impl FailedConditions {
    /// Whether the condition of this change did not hold.
    pub(super) fn contains(&self, place: usize) -> bool {
        self.0.get(place).copied().unwrap_or_default()
    }
}

impl PurchaseTables {
    /// Writes everything or nothing. The token makes repeats of the same request within ten minutes one.
    ///
    /// The first change is the one whose condition fails when the step was taken before.
    pub(super) async fn transact(
        &self,
        operation: &'static str,
        token: Uuid,
        changes: Vec<TransactWriteItem>,
    ) -> Result<Transacted, TableError> {
        let request = self.client.transact_write_items().set_transact_items(Some(changes));
        let Err(error) = request.client_request_token(token.to_string()).send().await else {
            return Ok(Transacted::Done);
        };
        let failed = refused(&error).ok_or_else(|| TableError::outage(operation, error))?;
        Ok(Transacted::Refused(failed))
    }

    /// Changes one item. False when its condition did not hold.
    pub(super) async fn change(
        &self,
        operation: &'static str,
        table: &str,
        key: Item,
        change: Change,
    ) -> Result<bool, TableError> {
        let parts = change.into_parts();
        let request = self.client.update_item().table_name(table).set_key(Some(key));
        let request = request.update_expression(parts.update).condition_expression(parts.condition);
        let request = request.set_expression_attribute_names(Some(parts.names));
        let sent = request.set_expression_attribute_values(parts.values).send().await;
        let Err(error) = sent else { return Ok(true) };
        if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) {
            return Ok(false);
        }
        Err(TableError::outage(operation, error))
    }
}

/// The token of a step: the same for the same request, and another one for any other.
pub(super) fn token(purchase_id: Uuid, step: &str, request: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{purchase_id}/{step}/{request}").as_bytes())
}

/// Nothing when it is an outage: throttling, or a conflict with another transaction, which is over soon.
fn refused<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<FailedConditions> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            failed_conditions(cancelled.cancellation_reasons())
        }
        // The token was used by this step with another body: the step was taken.
        TransactWriteItemsError::IdempotentParameterMismatchException(_) => Some(FailedConditions(vec![true])),
        _ => None,
    }
}

fn failed_conditions(reasons: &[CancellationReason]) -> Option<FailedConditions> {
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or(NOTHING)).collect();
    let only_conditions = codes.iter().all(|code| [CONDITION_FAILED, NOTHING].contains(code));
    let failed: Vec<_> = codes.iter().map(|code| *code == CONDITION_FAILED).collect();
    (only_conditions && failed.contains(&true)).then_some(FailedConditions(failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn failed_conditions_are_told_by_their_place() {
        let failed = failed_conditions(&reasons(&[NOTHING, CONDITION_FAILED, NOTHING])).unwrap();
        assert_eq!([0, 1, 2, 3].map(|place| failed.contains(place)), [false, true, false, false]);
        let without_code = [CancellationReason::builder().build(), reasons(&[CONDITION_FAILED]).remove(0)];
        assert!(failed_conditions(&without_code).unwrap().contains(1));
    }

    #[test]
    fn a_conflict_is_an_outage_even_beside_a_failed_condition() {
        for codes in [
            [NOTHING, "TransactionConflict"],
            [CONDITION_FAILED, "TransactionConflict"],
            [NOTHING, "ThrottlingError"],
            [NOTHING, NOTHING],
        ] {
            assert_eq!(failed_conditions(&reasons(&codes)), None, "{codes:?}");
        }
        assert_eq!(failed_conditions(&[]), None);
    }

    #[test]
    fn a_token_is_of_one_request_and_short_enough() {
        let id = Uuid::nil();
        assert_eq!(token(id, "begin", "1"), token(id, "begin", "1"));
        assert_ne!(token(id, "begin", "1"), token(id, "begin", "2"));
        assert_ne!(token(id, "begin", "1"), token(id, "refuse", "1"));
        assert!(token(id, "begin", "1").to_string().len() <= 36);
    }
}
