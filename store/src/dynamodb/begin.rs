use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, TransactWriteItem},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use workflows::{
    contracts::purchase_records::{Begin, BeginResult},
    purchase_codes::{IssueReply, IssueResult, Refusal},
};

use super::{
    PurchaseTables, TableError,
    change::Change,
    item::{self, CLAIMED, CREDIT_KEY, FINGERPRINT, PURCHASE_ID, SUBMITTED_AT, UPDATED_AT},
    transaction::{Transacted, token},
};

const BEGINNING: &str = "beginning a purchase";
/// Place of the purchase among the changes.
const PURCHASE: usize = 0;

impl PurchaseTables {
    /// Claims the loan for a new purchase, or finds what became of this one before.
    ///
    /// Item and claim come and go together, so that an item which is not decided has its claim.
    pub async fn begin(&self, begin: &Begin) -> Result<BeginResult, TableError> {
        let request = &begin.request;
        let changes = self.beginning(begin).map_err(|error| TableError::outage(BEGINNING, error))?;
        let said = format!("{}/{}", request.fingerprint, begin.now.timestamp_millis());
        let token = token(request.purchase_id, "begin", &said);
        match self.transact(BEGINNING, token, changes).await? {
            Transacted::Done => Ok(BeginResult::Begun),
            Transacted::Refused(failed) if failed.contains(PURCHASE) => self.begun_before(begin).await,
            Transacted::Refused(_) => Ok(BeginResult::LoanTaken),
        }
    }

    fn beginning(&self, Begin { request, now }: &Begin) -> Result<Vec<TransactWriteItem>, BuildError> {
        let mut attributes = item::of_request(request);
        attributes.insert(SUBMITTED_AT, item::time(*now));
        let purchase = item::item(item::purchase_key(request.purchase_id), &attributes);
        let loan = item::key(CREDIT_KEY, &request.loan_account_id);
        Ok(vec![
            Change::when("attribute_not_exists(#purchase_id)").put(&self.names.purchases, purchase)?,
            claim(request.purchase_id, *now).update(&self.names.credits, loan)?,
        ])
    }

    async fn begun_before(&self, Begin { request, .. }: &Begin) -> Result<BeginResult, TableError> {
        let Some(item) = self.purchase_item(BEGINNING, request.purchase_id).await? else {
            return Err(TableError::Contended { operation: BEGINNING });
        };
        if let Some(reply) = item::reply(&item, &self.seal)? {
            return Ok(BeginResult::Known(reply));
        }
        let fingerprint = item::read_text(&item, FINGERPRINT)?;
        if fingerprint == request.fingerprint {
            return Ok(BeginResult::Resumed);
        }
        // Another body under the same key, which the caller sees by the fingerprint. What was begun stays as it is.
        Ok(BeginResult::Known(IssueReply { fingerprint, result: IssueResult::Refused(Refusal::Unanswered) }))
    }
}

/// Makes the loan this purchase's, unless another one has it.
pub(super) fn claim(purchase_id: Uuid, now: DateTime<Utc>) -> Change {
    Change::when("attribute_not_exists(#claimed) OR #claimed = :free OR #purchase_id = :purchase_id")
        .comparing("free", AttributeValue::Bool(false))
        .set(PURCHASE_ID, item::text(purchase_id.to_string()))
        .set(CLAIMED, AttributeValue::Bool(true))
        .set(UPDATED_AT, item::time(now))
}
