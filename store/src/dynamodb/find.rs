use uuid::Uuid;
use workflows::purchase_codes::{IssueReply, Purchase, UseReply};

use super::{
    PurchaseTables, TableError,
    change::Item,
    code::Code,
    item::{self, CODE_HASH, CREDIT_KEY, ISSUED_PURCHASE_ID, PURCHASE_ID},
    scan::is_used_by,
};

const FINDING: &str = "finding a purchase";

impl PurchaseTables {
    /// The purchase with this id, if its code was issued.
    pub async fn find(&self, purchase_id: Uuid) -> Result<Option<Purchase>, TableError> {
        let item = self.purchase_item(FINDING, purchase_id).await?.filter(item::is_issued);
        item.map(|item| item::purchase(&item, &self.seal)).transpose()
    }

    /// The purchase with this code, however it is typed.
    pub async fn find_by_code(&self, code: &str) -> Result<Option<Purchase>, TableError> {
        let Some(code) = Code::read(code) else { return Ok(None) };
        let key = item::key(CODE_HASH, self.seal.hash(&code)?);
        match self.get(FINDING, &self.names.codes, key).await? {
            Some(item) => self.find(item::purchase_id(&item, PURCHASE_ID)?).await,
            None => Ok(None),
        }
    }

    /// The last purchase of this loan whose code was issued.
    pub async fn find_by_loan(&self, loan_account_id: &str) -> Result<Option<Purchase>, TableError> {
        match self.credit_item(FINDING, loan_account_id).await? {
            Some(item) if item.contains_key(ISSUED_PURCHASE_ID) => {
                self.find(item::purchase_id(&item, ISSUED_PURCHASE_ID)?).await
            }
            _ => Ok(None),
        }
    }

    /// Whether there is a purchase with this id, decided or not.
    pub async fn has_begun(&self, purchase_id: Uuid) -> Result<bool, TableError> {
        Ok(self.purchase_item(FINDING, purchase_id).await?.is_some())
    }

    /// What became of a purchase, as it was answered the first time. None while it is not decided.
    pub async fn find_reply(&self, purchase_id: Uuid) -> Result<Option<IssueReply>, TableError> {
        match self.purchase_item(FINDING, purchase_id).await? {
            Some(item) => item::reply(&item, &self.seal),
            None => Ok(None),
        }
    }

    /// The answer to the scan with this cause, if it was the one that used the code.
    pub async fn find_use_reply(&self, purchase_id: Uuid, cause: &str) -> Result<Option<UseReply>, TableError> {
        let Some(item) = self.purchase_item(FINDING, purchase_id).await?.filter(item::is_issued) else {
            return Ok(None);
        };
        let used = is_used_by(&item::purchase(&item, &self.seal)?, cause);
        used.then(|| self.use_reply(&item)).transpose()
    }

    /// Whether the tables answer.
    pub async fn ping(&self) -> Result<(), TableError> {
        self.purchase_item("asking for a sign of life", Uuid::nil()).await.map(drop)
    }

    pub(super) async fn purchase_item(
        &self,
        operation: &'static str,
        purchase_id: Uuid,
    ) -> Result<Option<Item>, TableError> {
        self.get(operation, &self.names.purchases, item::purchase_key(purchase_id)).await
    }

    pub(super) async fn credit_item(&self, operation: &'static str, loan: &str) -> Result<Option<Item>, TableError> {
        self.get(operation, &self.names.credits, item::key(CREDIT_KEY, loan)).await
    }

    /// As it is after everything that was answered before.
    async fn get(&self, operation: &'static str, table: &str, key: Item) -> Result<Option<Item>, TableError> {
        let request = self.client.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
        let answer = request.send().await.map_err(|error| TableError::outage(operation, error))?;
        Ok(answer.item)
    }
}
