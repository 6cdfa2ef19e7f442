use aws_sdk_dynamodb::{error::BuildError, types::TransactWriteItem};
use workflows::{
    contracts::purchase_records::Scan,
    purchase_codes::{
        CodeStatus, CreditSubstate, Purchase, UseReply, UseResult,
        transition::{ScanFacts, scan_verdict},
    },
};

use super::{
    PurchaseTables, TableError,
    change::{Attributes, Change, Item},
    code::Code,
    item::{
        self, CAUSE, CODE_HASH, CREDIT_KEY, IMAGE_URL, PROVIDER, PURCHASE_ID, STATUS, SUBSTATE, TTL, UPDATED_AT,
        USED_FINGERPRINT, VERSION,
    },
    transaction::{Transacted, token},
};

const SCANNING: &str = "scanning a code";
/// All that makes a scan right, at the moment of the change.
const FITS: &str =
    "#status = :live AND #provider = :provider AND #code_hash = :code_hash AND #expirationDateTime > :now";
/// Place of the purchase among the changes.
const PURCHASE: usize = 0;

impl PurchaseTables {
    /// Uses the code if everything fits; one of many wins. A repeat of the scan that won gets its answer.
    pub async fn scan(&self, scan: &Scan) -> Result<UseReply, TableError> {
        let item = self.scanned(scan).await?;
        if let Some(reply) = self.settled(&item, scan)? {
            return Ok(reply);
        }
        let purchase = item::purchase(&item, &self.seal)?;
        let change = use_of(&purchase, scan);
        let fitting = self.fitting(scan)?.set_all(change.clone()).remove(IMAGE_URL);
        let changes = self.using(&purchase, scan, fitting).map_err(|error| TableError::outage(SCANNING, error))?;
        let said = format!("{}/{}", scan.request.cause, scan.now.timestamp_millis());
        match self.transact(SCANNING, token(scan.purchase_id, "use", &said), changes).await? {
            Transacted::Done => self.use_reply(&as_used(item, &change)),
            Transacted::Refused(failed) if failed.contains(PURCHASE) => {
                let reply = self.settled(&self.scanned(scan).await?, scan)?;
                reply.ok_or(TableError::Contended { operation: SCANNING })
            }
            Transacted::Refused(_) => Err(TableError::corrupt(SCANNING, "another purchase has the loan")),
        }
    }

    async fn scanned(&self, scan: &Scan) -> Result<Item, TableError> {
        let item = self.purchase_item(SCANNING, scan.purchase_id).await?.filter(item::is_issued);
        item.ok_or_else(|| TableError::corrupt(SCANNING, "the purchase was never issued"))
    }

    /// The answer that the item alone gives; none when the code can be used.
    fn settled(&self, item: &Item, scan: &Scan) -> Result<Option<UseReply>, TableError> {
        let purchase = item::purchase(item, &self.seal)?;
        if is_used_by(&purchase, &scan.request.cause) {
            return self.use_reply(item).map(Some);
        }
        let facts = ScanFacts {
            code_matches: self.hash_of_scanned(scan)? == Some(item::read_text(item, CODE_HASH)?),
            provider: &purchase.provider,
            status: purchase.status,
            expires_at: purchase.expires_at,
        };
        let verdict = scan_verdict(&facts, &scan.request, scan.now);
        let fingerprint = scan.request.fingerprint.clone();
        Ok(verdict.err().map(|refusal| UseReply { fingerprint, result: UseResult::Refused(refusal) }))
    }

    /// The answer to the scan that used the code, the same however often it is asked for.
    pub(super) fn use_reply(&self, item: &Item) -> Result<UseReply, TableError> {
        let purchase = item::purchase(item, &self.seal)?;
        let fingerprint = item::read_text(item, USED_FINGERPRINT)?;
        Ok(UseReply { fingerprint, result: UseResult::Used(Box::new(purchase)) })
    }

    /// None when what was scanned is no code at all.
    fn hash_of_scanned(&self, scan: &Scan) -> Result<Option<String>, TableError> {
        Code::read(scan.request.code.expose()).map(|code| self.seal.hash(&code)).transpose()
    }

    fn fitting(&self, scan: &Scan) -> Result<Change, TableError> {
        let hash = self.hash_of_scanned(scan)?.unwrap_or_default();
        Ok(Change::when(FITS)
            .comparing("live", item::text(CodeStatus::Generado.as_str()))
            .comparing(PROVIDER, item::text(&scan.request.provider))
            .comparing(CODE_HASH, item::text(hash))
            .comparing("now", item::time(scan.now)))
    }

    fn using(&self, purchase: &Purchase, scan: &Scan, code: Change) -> Result<Vec<TransactWriteItem>, BuildError> {
        let credit = Change::when("#purchase_id = :purchase_id")
            .comparing(PURCHASE_ID, item::text(purchase.purchase_id.to_string()))
            .set(SUBSTATE, item::text(CreditSubstate::Desembolsado.as_str()))
            .set(UPDATED_AT, item::time(scan.now));
        Ok(vec![
            code.update(&self.names.purchases, item::purchase_key(purchase.purchase_id))?,
            credit.update(&self.names.credits, item::key(CREDIT_KEY, &purchase.loan_account_id))?,
        ])
    }
}

/// Whether this update made the last change, and that was the scan.
pub(super) fn is_used_by(purchase: &Purchase, cause: &str) -> bool {
    purchase.status == CodeStatus::Usado && purchase.cause == cause
}

/// What a scan changes.
fn use_of(purchase: &Purchase, scan: &Scan) -> Attributes {
    Attributes::from([
        (STATUS, item::text(CodeStatus::Usado.as_str())),
        (UPDATED_AT, item::time(scan.now)),
        (VERSION, item::number(purchase.version + 1)),
        (CAUSE, item::text(&scan.request.cause)),
        (USED_FINGERPRINT, item::text(&scan.request.fingerprint)),
        (TTL, item::forgotten_after(scan.now)),
    ])
}

/// The item as the change left it.
fn as_used(mut item: Item, change: &Attributes) -> Item {
    item.remove(IMAGE_URL);
    item::item(item, change)
}
