use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, TransactWriteItem},
};
use uuid::Uuid;
use workflows::{
    contracts::purchase_records::{Expire, ExpireResult, NoteReversal},
    purchase_codes::{CodeStatus, CreditSubstate, Purchase},
};

use super::{
    PurchaseTables, TableError,
    change::Change,
    item::{
        self, CAUSE, CLAIMED, CREDIT_KEY, DEADLINE, IMAGE_URL, PURCHASE_ID, REVERSED_AT, STATUS, SUBSTATE, TTL,
        UPDATED_AT, VERSION,
    },
    transaction::{Transacted, token},
};

const EXPIRING: &str = "expiring a code";
const REVERSING: &str = "noting a reversal";
/// Place of the disbursement among the changes.
const DISBURSEMENT: usize = 0;

impl PurchaseTables {
    /// Ends the code. A used one stays used: its disbursement must not be reversed.
    pub async fn expire(&self, expire: &Expire) -> Result<ExpireResult, TableError> {
        let change = Change::when("#status = :live")
            .comparing("live", item::text(CodeStatus::Generado.as_str()))
            .set(STATUS, item::text(CodeStatus::Vencido.as_str()))
            .set(UPDATED_AT, item::time(expire.now))
            .set(CAUSE, item::text(DEADLINE))
            .count(VERSION)
            .remove(IMAGE_URL);
        let key = item::purchase_key(expire.purchase_id);
        if self.change(EXPIRING, &self.names.purchases, key, change).await? {
            return Ok(ExpireResult::Expired);
        }
        let purchase = self.over(EXPIRING, expire.purchase_id).await?;
        match purchase.status {
            CodeStatus::Vencido => Ok(ExpireResult::Expired),
            CodeStatus::Usado => Ok(ExpireResult::Used),
            CodeStatus::Generado => Err(TableError::Contended { operation: EXPIRING }),
        }
    }

    /// Notes that the disbursement of an expired code is reversed, and frees the loan for another purchase.
    pub async fn note_reversal(&self, note: &NoteReversal) -> Result<(), TableError> {
        let purchase = self.over(REVERSING, note.purchase_id).await?;
        let changes = self.reversing(note, &purchase).map_err(|error| TableError::outage(REVERSING, error))?;
        let token = token(note.purchase_id, "reversal", &note.now.timestamp_millis().to_string());
        match self.transact(REVERSING, token, changes).await? {
            Transacted::Done => Ok(()),
            // It is noted already; maybe another purchase has the loan since.
            Transacted::Refused(failed) if failed.contains(DISBURSEMENT) => Ok(()),
            Transacted::Refused(_) => {
                Err(TableError::corrupt(REVERSING, "the code is not expired, or another purchase has the loan"))
            }
        }
    }

    async fn over(&self, operation: &'static str, purchase_id: Uuid) -> Result<Purchase, TableError> {
        let purchase = self.find(purchase_id).await?;
        purchase.ok_or_else(|| TableError::corrupt(operation, "the purchase was never issued"))
    }

    fn reversing(&self, note: &NoteReversal, purchase: &Purchase) -> Result<Vec<TransactWriteItem>, BuildError> {
        let (key, names) = (|| item::purchase_key(note.purchase_id), &self.names);
        let disbursement = Change::when("attribute_not_exists(#reversedAt)").set(REVERSED_AT, item::time(note.now));
        let credit = Change::when("#purchase_id = :purchase_id AND #claimed = :taken")
            .comparing(PURCHASE_ID, item::text(note.purchase_id.to_string()))
            .comparing("taken", AttributeValue::Bool(true))
            .set(CLAIMED, AttributeValue::Bool(false))
            .set(SUBSTATE, item::text(CreditSubstate::DisposicionRevertida.as_str()))
            .set(UPDATED_AT, item::time(note.now));
        let code = Change::when("#status = :over")
            .comparing("over", item::text(CodeStatus::Vencido.as_str()))
            .set(TTL, item::forgotten_after(note.now));
        Ok(vec![
            disbursement.update(&names.disbursements, key())?,
            credit.update(&names.credits, item::key(CREDIT_KEY, &purchase.loan_account_id))?,
            code.update(&names.purchases, key())?,
        ])
    }
}
