use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, TransactWriteItem},
};
use workflows::{
    contracts::purchase_records::Refuse,
    purchase_codes::{IssueReply, IssueResult},
};

use super::{
    PurchaseTables, TableError,
    change::Change,
    item::{
        self, CAUSE, CLAIMED, CREATED_AT, CREDIT_KEY, PURCHASE_ID, REFUSAL, SUBMITTED_AT, TTL, UPDATED_AT, VERSION,
    },
    transaction::{Transacted, token},
};

const REFUSING: &str = "refusing a purchase";
/// The cause of a refused purchase's only version.
const REFUSE: &str = "refuse";
/// Neither issued nor refused.
pub(super) const UNDECIDED: &str = "attribute_not_exists(#status) AND attribute_not_exists(#refusal)";
/// Place of the purchase among the changes.
const PURCHASE: usize = 0;

impl PurchaseTables {
    /// Keeps why nothing was disbursed, and frees the loan if this purchase has it. A repeat, and one that comes too
    /// late, finds the first answer.
    pub async fn refuse(&self, refuse: &Refuse) -> Result<IssueReply, TableError> {
        let request = &refuse.request;
        let refusal = item::of_refusal(&refuse.refusal)?;
        let has_loan = self.has_loan(refuse).await?;
        let said = format!("{has_loan}/{}/{}/{refusal}", request.fingerprint, refuse.now.timestamp_millis());
        let changes = self.refusing(refuse, refusal, has_loan).map_err(|error| TableError::outage(REFUSING, error))?;
        match self.transact(REFUSING, token(request.purchase_id, REFUSE, &said), changes).await? {
            Transacted::Done => Ok(IssueReply {
                fingerprint: request.fingerprint.clone(),
                result: IssueResult::Refused(refuse.refusal.clone()),
            }),
            Transacted::Refused(failed) if failed.contains(PURCHASE) => {
                let reply = self.find_reply(request.purchase_id).await?;
                reply.ok_or(TableError::Contended { operation: REFUSING })
            }
            // The loan became this purchase's, or no longer is, while we looked.
            Transacted::Refused(_) => Err(TableError::Contended { operation: REFUSING }),
        }
    }

    async fn has_loan(&self, Refuse { request, .. }: &Refuse) -> Result<bool, TableError> {
        let credit = self.credit_item(REFUSING, &request.loan_account_id).await?.unwrap_or_default();
        let holder = credit.get(PURCHASE_ID).and_then(|value| value.as_s().ok());
        let is_holder = holder.is_some_and(|holder| *holder == request.purchase_id.to_string());
        Ok(is_holder && credit.get(CLAIMED).is_some_and(|value| *value == AttributeValue::Bool(true)))
    }

    /// A beginning that is still on its way must not claim the loan of a purchase that is over: it fails on this item,
    /// and if it was faster, this fails on its claim.
    fn refusing(
        &self,
        Refuse { request, now, .. }: &Refuse,
        refusal: String,
        has_loan: bool,
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let purchase = Change::when(UNDECIDED)
            .set_all(item::of_request(request))
            .set(REFUSAL, item::text(refusal))
            .set(CAUSE, item::text(REFUSE))
            .set(VERSION, item::number(1))
            .set(CREATED_AT, item::time(*now))
            .set(UPDATED_AT, item::time(*now))
            .set(TTL, item::forgotten_after(*now))
            .set_once(SUBMITTED_AT, item::time(*now));
        let loan = item::key(CREDIT_KEY, &request.loan_account_id);
        let own = item::text(request.purchase_id.to_string());
        let credit = if has_loan {
            Change::when("#purchase_id = :purchase_id AND #claimed = :taken")
                .comparing(PURCHASE_ID, own)
                .comparing("taken", AttributeValue::Bool(true))
                .set(CLAIMED, AttributeValue::Bool(false))
                .set(UPDATED_AT, item::time(*now))
                .update(&self.names.credits, loan)?
        } else {
            Change::when("attribute_not_exists(#purchase_id) OR #purchase_id <> :purchase_id OR #claimed = :free")
                .comparing(PURCHASE_ID, own)
                .comparing("free", AttributeValue::Bool(false))
                .check(&self.names.credits, loan)?
        };
        Ok(vec![purchase.update(&self.names.purchases, item::purchase_key(request.purchase_id))?, credit])
    }
}
