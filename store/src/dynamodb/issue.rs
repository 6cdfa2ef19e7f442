use aws_sdk_dynamodb::{error::BuildError, types::TransactWriteItem};
use chrono::SecondsFormat;
use workflows::{
    contracts::purchase_records::Store,
    purchase_codes::{CodeStatus, CreditState, CreditSubstate, IssueReply, IssueResult},
};

use super::{
    PurchaseTables, TableError, begin,
    change::{Attributes, Change},
    code::Code,
    item::{
        self, AMOUNT, CAUSE, CODE, CODE_HASH, CREATED_AT, CREDIT_KEY, CURRENCY, EXPIRES_AT, FIRST_PAYMENT_DATE, ISSUE,
        ISSUED_PURCHASE_ID, LOAN_ACCOUNT_ID, STATE, STATUS, SUBMITTED_AT, SUBSTATE, TRANSACTION_ID, TTL, UPDATED_AT,
        VALUE_DATE, VERSION,
    },
    refuse::UNDECIDED,
    transaction::{Transacted, token},
};

const ISSUING: &str = "issuing a code";
/// Places of the purchase and of its loan among the changes.
const PURCHASE: usize = 0;
const LOAN: usize = 1;

impl PurchaseTables {
    /// Keeps the disbursement and issues the code: all of it or nothing. A repeat draws another code, which nobody
    /// sees, and finds the first one.
    pub async fn store(&self, store: &Store) -> Result<IssueReply, TableError> {
        let code = Code::draw()?;
        let issued = self.issued(store, &code)?;
        let hash = self.seal.hash(&code)?;
        let changes = self.issuing(store, &issued, &hash).map_err(|error| TableError::outage(ISSUING, error))?;
        match self.transact(ISSUING, token(store.request.purchase_id, ISSUE, &hash), changes).await? {
            Transacted::Done => {
                let item = item::item(item::purchase_key(store.request.purchase_id), &issued);
                let purchase = item::purchase(&item, &self.seal)?;
                let fingerprint = store.request.fingerprint.clone();
                Ok(IssueReply { fingerprint, result: IssueResult::Issued(Box::new(purchase)) })
            }
            Transacted::Refused(failed) if failed.contains(PURCHASE) => self.issued_before(store).await,
            Transacted::Refused(failed) if failed.contains(LOAN) => {
                Err(TableError::corrupt(ISSUING, "another purchase has the loan that this one disbursed"))
            }
            // Somebody has the code: once in the lifetime of a few universes.
            Transacted::Refused(_) => Err(TableError::Contended { operation: ISSUING }),
        }
    }

    fn issued(&self, store: &Store, code: &Code) -> Result<Attributes, TableError> {
        let Store { request, disbursement, expires_at, now } = store;
        let mut attributes = item::of_request(request);
        attributes.extend([
            (CODE, item::text(self.seal.seal(request.purchase_id, code)?)),
            (CODE_HASH, item::text(self.seal.hash(code)?)),
            (STATUS, item::text(CodeStatus::Generado.as_str())),
            (EXPIRES_AT, item::time(*expires_at)),
            (FIRST_PAYMENT_DATE, item::text(disbursement.first_payment_date.to_string())),
            (TRANSACTION_ID, item::text(&disbursement.transaction_id)),
            (CAUSE, item::text(ISSUE)),
            (VERSION, item::number(1)),
            (CREATED_AT, item::time(*now)),
            (UPDATED_AT, item::time(*now)),
        ]);
        Ok(attributes)
    }

    fn issuing(&self, store: &Store, issued: &Attributes, hash: &str) -> Result<Vec<TransactWriteItem>, BuildError> {
        let Store { request, now, .. } = store;
        let (id, names) = (request.purchase_id, &self.names);
        let purchase = Change::when(UNDECIDED).set_all(issued.clone()).set_once(SUBMITTED_AT, item::time(*now));
        let credit = begin::claim(id, *now)
            .set(ISSUED_PURCHASE_ID, item::text(id.to_string()))
            .set(STATE, item::text(CreditState::Activo.as_str()))
            .set(SUBSTATE, item::text(CreditSubstate::DisposicionAutorizada.as_str()));
        let disbursement = item::item(item::purchase_key(id), &disbursement(store));
        let code = [(CODE_HASH, item::text(hash)), (TTL, item::forgotten_after(store.expires_at))];
        let code = item::item(item::purchase_key(id), &Attributes::from(code));
        Ok(vec![
            purchase.update(&names.purchases, item::purchase_key(id))?,
            credit.update(&names.credits, item::key(CREDIT_KEY, &request.loan_account_id))?,
            Change::when("attribute_not_exists(#purchase_id)").put(&names.disbursements, disbursement)?,
            Change::when("attribute_not_exists(#code_hash)").put(&names.codes, code)?,
        ])
    }

    /// The purchase was decided before: by this very disbursement, or something is wrong.
    async fn issued_before(&self, Store { request, disbursement, .. }: &Store) -> Result<IssueReply, TableError> {
        let reply = self.find_reply(request.purchase_id).await?;
        let reply = reply.ok_or(TableError::Contended { operation: ISSUING })?;
        match &reply.result {
            IssueResult::Issued(purchase) if purchase.transaction_id == disbursement.transaction_id => Ok(reply),
            IssueResult::Issued(_) => Err(TableError::corrupt(ISSUING, "it was issued for another disbursement")),
            IssueResult::Refused(_) => Err(TableError::corrupt(ISSUING, "it was refused, and is disbursed")),
        }
    }
}

fn disbursement(Store { request, disbursement, .. }: &Store) -> Attributes {
    Attributes::from([
        (TRANSACTION_ID, item::text(&disbursement.transaction_id)),
        (AMOUNT, item::number(request.amount.minor)),
        (CURRENCY, item::text(request.amount.currency.code())),
        (VALUE_DATE, item::text(disbursement.value_date.to_rfc3339_opts(SecondsFormat::AutoSi, false))),
        (FIRST_PAYMENT_DATE, item::text(disbursement.first_payment_date.to_string())),
        (LOAN_ACCOUNT_ID, item::text(&request.loan_account_id)),
    ])
}
