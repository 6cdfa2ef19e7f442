//! Items of the tables, to and from what the rest of Perdura knows. Nobody else knows their attributes.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use workflows::{
    domain::{Currency, Money},
    purchase_codes::{CodeStatus, IssueReply, IssueResult, Purchase, PurchaseRequest, Refusal},
};

use super::{
    TableError,
    change::{Attributes, Item},
    seal::Seal,
};

pub(super) const PURCHASE_ID: &str = "purchase_id";
pub(super) const LOAN_ACCOUNT_ID: &str = "loanAccountId";
pub(super) const CODE: &str = "code";
pub(super) const CODE_HASH: &str = "code_hash";
pub(super) const STATUS: &str = "status";
pub(super) const SUBMITTED_AT: &str = "submitDateTime";
pub(super) const EXPIRES_AT: &str = "expirationDateTime";
pub(super) const FINGERPRINT: &str = "fingerprint";
pub(super) const REFUSAL: &str = "refusal";
pub(super) const FIRST_PAYMENT_DATE: &str = "firstPaymentDate";
pub(super) const TRANSACTION_ID: &str = "transactionId";
pub(super) const IMAGE_URL: &str = "image_url";
pub(super) const CREATED_AT: &str = "createdAt";
pub(super) const UPDATED_AT: &str = "updatedAt";
pub(super) const VERSION: &str = "version";
pub(super) const CAUSE: &str = "cause";
pub(super) const USED_FINGERPRINT: &str = "used_fingerprint";
pub(super) const PROVIDER: &str = "provider";
pub(super) const AMOUNT: &str = "amount";
pub(super) const CURRENCY: &str = "currency";
/// Seconds after which DynamoDB forgets an item.
pub(super) const TTL: &str = "ttl";
const CLIENT_ID: &str = "clientId";
const CREDIT_LINE_ID: &str = "creditLineId";
const FRONTEND: &str = "frontend";

/// Key of a loan's credit details.
pub(super) const CREDIT_KEY: &str = "loan_account_id";
pub(super) const CLAIMED: &str = "claimed";
/// The last purchase of the loan that was issued; `purchase_id` is the last that claimed it.
pub(super) const ISSUED_PURCHASE_ID: &str = "issued_purchase_id";
pub(super) const STATE: &str = "state";
pub(super) const SUBSTATE: &str = "substate";

pub(super) const VALUE_DATE: &str = "valueDate";
pub(super) const REVERSED_AT: &str = "reversedAt";

/// The cause of a purchase's first version.
pub(super) const ISSUE: &str = "issue";
/// That of its end without a scan.
pub(super) const DEADLINE: &str = "deadline";
/// A purchase that is over stays for a year.
const KEPT: TimeDelta = TimeDelta::days(366);
const READING: &str = "reading an item";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Milliseconds.
pub(super) fn time(at: DateTime<Utc>) -> AttributeValue {
    number(at.timestamp_millis())
}

/// When an item that is over at `now` may go.
pub(super) fn forgotten_after(now: DateTime<Utc>) -> AttributeValue {
    number((now + KEPT).timestamp())
}

pub(super) fn key(name: &str, value: impl Into<String>) -> Item {
    Item::from([(name.to_owned(), text(value))])
}

/// Key of a purchase in every table that has one item a purchase.
pub(super) fn purchase_key(purchase_id: Uuid) -> Item {
    key(PURCHASE_ID, purchase_id.to_string())
}

/// A whole item.
pub(super) fn item(key: Item, attributes: &Attributes) -> Item {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    key.into_iter().chain(attributes).collect()
}

/// What of a purchase is known from the beginning.
pub(super) fn of_request(request: &PurchaseRequest) -> Attributes {
    Attributes::from([
        (CLIENT_ID, text(&request.client_id)),
        (CREDIT_LINE_ID, text(&request.credit_line_id)),
        (LOAN_ACCOUNT_ID, text(&request.loan_account_id)),
        (PROVIDER, text(&request.provider)),
        (AMOUNT, number(request.amount.minor)),
        (CURRENCY, text(request.amount.currency.code())),
        (FRONTEND, text(&request.frontend)),
        (FINGERPRINT, text(&request.fingerprint)),
    ])
}

/// Whether a code was issued.
pub(super) fn is_issued(item: &Item) -> bool {
    item.contains_key(STATUS)
}

/// The purchase of an item that has a code.
pub(super) fn purchase(item: &Item, seal: &Seal) -> Result<Purchase, TableError> {
    let purchase_id = purchase_id(item, PURCHASE_ID)?;
    Ok(Purchase {
        purchase_id,
        frontend: read_text(item, FRONTEND)?,
        client_id: read_text(item, CLIENT_ID)?,
        credit_line_id: read_text(item, CREDIT_LINE_ID)?,
        loan_account_id: read_text(item, LOAN_ACCOUNT_ID)?,
        provider: read_text(item, PROVIDER)?,
        amount: Money { minor: read_number(item, AMOUNT)?, currency: read_currency(item)? },
        code: seal.open(purchase_id, &read_text(item, CODE)?)?,
        status: CodeStatus::parse(&read_text(item, STATUS)?).ok_or_else(|| unreadable(STATUS))?,
        first_payment_date: read_text(item, FIRST_PAYMENT_DATE)?.parse().map_err(|_| unreadable(FIRST_PAYMENT_DATE))?,
        expires_at: read_time(item, EXPIRES_AT)?,
        created_at: read_time(item, CREATED_AT)?,
        updated_at: read_time(item, UPDATED_AT)?,
        version: read_number(item, VERSION)?,
        fingerprint: read_text(item, FINGERPRINT)?,
        cause: read_text(item, CAUSE)?,
        transaction_id: read_text(item, TRANSACTION_ID)?,
        image_url: item.contains_key(IMAGE_URL).then(|| read_text(item, IMAGE_URL)).transpose()?,
    })
}

/// The answer that was given when the purchase was decided, whatever happened since. None while it is not.
pub(super) fn reply(item: &Item, seal: &Seal) -> Result<Option<IssueReply>, TableError> {
    let result = if is_issued(item) {
        IssueResult::Issued(Box::new(as_issued(purchase(item, seal)?)))
    } else if item.contains_key(REFUSAL) {
        IssueResult::Refused(refusal(item)?)
    } else {
        return Ok(None);
    };
    Ok(Some(IssueReply { fingerprint: read_text(item, FINGERPRINT)?, result }))
}

/// Refusals are kept as they travel.
pub(super) fn of_refusal(refusal: &Refusal) -> Result<String, TableError> {
    serde_json::to_string(refusal).map_err(|error| TableError::corrupt("writing a refusal", error.to_string()))
}

fn refusal(item: &Item) -> Result<Refusal, TableError> {
    serde_json::from_str(&read_text(item, REFUSAL)?).map_err(|_| unreadable(REFUSAL))
}

fn as_issued(purchase: Purchase) -> Purchase {
    Purchase {
        status: CodeStatus::Generado,
        updated_at: purchase.created_at,
        version: 1,
        cause: ISSUE.to_owned(),
        image_url: None,
        ..purchase
    }
}

pub(super) fn read_text(item: &Item, name: &'static str) -> Result<String, TableError> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().ok_or_else(|| unreadable(name))
}

fn read_number(item: &Item, name: &'static str) -> Result<i64, TableError> {
    let number = item.get(name).and_then(|value| value.as_n().ok());
    number.and_then(|number| number.parse().ok()).ok_or_else(|| unreadable(name))
}

fn read_time(item: &Item, name: &'static str) -> Result<DateTime<Utc>, TableError> {
    DateTime::from_timestamp_millis(read_number(item, name)?).ok_or_else(|| unreadable(name))
}

fn read_currency(item: &Item) -> Result<Currency, TableError> {
    Currency::parse(&read_text(item, CURRENCY)?).map_err(|_| unreadable(CURRENCY))
}

/// The id of a purchase in an item of whatever table.
pub(super) fn purchase_id(item: &Item, name: &'static str) -> Result<Uuid, TableError> {
    read_text(item, name)?.parse().map_err(|_| unreadable(name))
}

fn unreadable(name: &'static str) -> TableError {
    TableError::corrupt(READING, format!("its {name} is missing or cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::{CodeKey, code::Code};

    fn seal() -> Seal {
        Seal::new(CodeKey::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap())
    }

    fn request(purchase_id: Uuid) -> PurchaseRequest {
        PurchaseRequest {
            purchase_id,
            frontend: "frontend:demo".to_owned(),
            client_id: "C-1".to_owned(),
            credit_line_id: "CL-1".to_owned(),
            loan_account_id: "LN-1".to_owned(),
            provider: "P-1".to_owned(),
            amount: Money { minor: 125_000, currency: Currency::parse("MXN").unwrap() },
            fingerprint: "ab".to_owned(),
        }
    }

    fn begun(purchase_id: Uuid) -> Item {
        item(purchase_key(purchase_id), &of_request(&request(purchase_id)))
    }

    #[test]
    fn a_purchase_that_is_not_decided_has_no_answer() {
        let item = begun(Uuid::now_v7());
        assert!(!is_issued(&item));
        assert!(reply(&item, &seal()).unwrap().is_none());
    }

    #[test]
    fn a_refusal_is_answered_as_it_was_given() {
        let refusals = [
            Refusal::PurchaseActive,
            Refusal::Otp { attempts_left: Some(2) },
            Refusal::OtpLocked { until: DateTime::from_timestamp(1_767_225_600, 123_456_789).unwrap() },
            Refusal::Disbursement { reason: "INVALID_ACCOUNT_STATE".to_owned() },
        ];
        for given in refusals {
            let mut item = begun(Uuid::now_v7());
            item.insert(REFUSAL.to_owned(), text(of_refusal(&given).unwrap()));
            let reply = reply(&item, &seal()).unwrap().unwrap();
            assert_eq!(reply.fingerprint, "ab");
            assert!(matches!(&reply.result, IssueResult::Refused(kept) if *kept == given), "{reply:?}");
        }
    }

    #[test]
    fn an_issue_is_answered_as_it_was_given_whatever_happened_since() {
        let (id, seal, code) = (Uuid::now_v7(), seal(), Code::draw().unwrap());
        let (created, changed) = (DateTime::from_timestamp_millis(1_000), DateTime::from_timestamp_millis(5_000));
        let mut item = begun(id);
        for (name, value) in [
            (STATUS, text("USADO")),
            (CODE, text(seal.seal(id, &code).unwrap())),
            (EXPIRES_AT, number(9_000)),
            (CREATED_AT, number(1_000)),
            (UPDATED_AT, number(5_000)),
            (VERSION, number(2)),
            (CAUSE, text("an update")),
            (FIRST_PAYMENT_DATE, text("2026-06-14")),
            (TRANSACTION_ID, text("174")),
            (IMAGE_URL, text("vouchers/x.png")),
        ] {
            item.insert(name.to_owned(), value);
        }
        let now = purchase(&item, &seal).unwrap();
        assert_eq!((now.status, now.version, Some(now.updated_at)), (CodeStatus::Usado, 2, changed));
        assert_eq!((now.amount.to_decimal().as_str(), now.code.expose()), ("1250.00", code.expose()));
        let IssueResult::Issued(then) = reply(&item, &seal).unwrap().unwrap().result else { panic!("it is issued") };
        assert_eq!((then.status, then.version, then.cause.as_str()), (CodeStatus::Generado, 1, ISSUE));
        assert_eq!((Some(then.created_at), Some(then.updated_at), then.image_url), (created, created, None));
    }

    #[test]
    fn an_item_that_lacks_something_is_named_as_such() {
        let mut item = begun(Uuid::now_v7());
        item.insert(STATUS.to_owned(), text("GENERADO"));
        let error = purchase(&item, &seal()).unwrap_err();
        assert!(error.is_corrupt() && error.to_string().contains("code"), "{error}");
        item.insert(AMOUNT.to_owned(), text("many"));
        let error = purchase(&item, &seal()).unwrap_err().to_string();
        assert!(error.contains("amount"), "{error}");
    }
}
