use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use store::postgres::fridges::{Event, Transaction};
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::{
    domain::{Currency, Money},
    fridge_sales::{Failure, Product},
};

use super::{
    check::{Authorisation, User},
    refusal,
};
use crate::{openapi::schemas, problem::Problem};

/// A sale, or an attempt at one, as its frontend sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Transaction, examples(json!({
    "transaction_id": "0190a0b0-0000-5000-8000-00000000000e", "ref": "0190a0b0-0000-5000-8000-00000000000d",
    "machine_id": "FRIDGE-1", "user": {"id": "1643366412345x678", "email": "buyer@example.com"},
    "stripe": {"payment_intent_id": "pi_3P9xQ2", "amount": "20.00", "currency": "EUR"},
    "status": "completed", "door": "closed", "failure": null,
    "products": [{"vpn": "VPN-7", "name": "Soup", "unit_price": "4.50", "quantity": 2}],
    "total": "9.00", "reported_total": "9.00", "disputed": false, "capture": {"amount": "9.00", "shortfall": "0.00"},
    "currency": "EUR",
    "events": [{"name": "smart_fridge_request_completed", "status": null,
        "message": "This Smart Fridge request has been completed & closed", "at": "2026-01-31T12:01:00.000Z"}],
    "created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:01:00.000Z", "version": 9,
})))]
pub(crate) struct TransactionBody {
    transaction_id: Uuid,
    /// Names the sale to Vendron and to operators.
    r#ref: Uuid,
    #[schema(schema_with = schemas::outside_id)]
    machine_id: String,
    /// As it was sent.
    #[schema(value_type = User)]
    user: Box<RawValue>,
    /// As it was sent.
    #[schema(value_type = Authorisation)]
    stripe: Box<RawValue>,
    #[schema(schema_with = schemas::sale_status)]
    status: &'static str,
    #[schema(schema_with = schemas::door_status)]
    door: &'static str,
    /// Why the door did not open, of a transaction that is `failed`.
    #[schema(required)]
    failure: Option<FailureBody>,
    /// What was taken; while the door is open, what is taken so far.
    products: Vec<ProductBody>,
    /// What the buyer owes, once the sale is `completed` or `empty`: the sum of the prices, or what Vendron says where
    /// one is unknown.
    #[schema(required, pattern = r"^[0-9]+(\.[0-9]+)?$")]
    total: Option<String>,
    /// What Vendron says that it is.
    #[schema(required, pattern = r"^[0-9]+(\.[0-9]+)?$")]
    reported_total: Option<String>,
    /// The products and the total that Vendron sent contradict each other: somebody should look before money is taken.
    disputed: bool,
    /// What to take of the money that Stripe has authorised, once the total is known.
    #[schema(required)]
    capture: Option<Capture>,
    /// Of every amount here, as Stripe has authorised it.
    #[schema(schema_with = schemas::currency)]
    currency: String,
    /// What was sent, heard and noted, in the order of arrival and without repetitions. Lists leave this out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    events: Option<Vec<EventBody>>,
    #[schema(schema_with = schemas::time)]
    created_at: String,
    /// Time of the last change.
    #[schema(schema_with = schemas::time)]
    updated_at: String,
    /// Grows with every change.
    #[schema(minimum = 1)]
    version: i64,
}

/// Why a door did not open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SaleFailure)]
struct FailureBody {
    /// The code of the problem that whoever opened the machine was answered.
    code: &'static str,
    detail: String,
}

/// Products of one kind and price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
struct ProductBody {
    /// Vendron's number of it; may be empty.
    vpn: String,
    name: String,
    /// Of one; null where Vendron sent none that can be read.
    #[schema(required, pattern = r"^[0-9]+(\.[0-9]+)?$")]
    unit_price: Option<String>,
    #[schema(minimum = 1)]
    quantity: u32,
}

/// What to take of the authorised money.
#[derive(Debug, Serialize, ToSchema)]
struct Capture {
    /// The total, and no more than is authorised.
    #[schema(schema_with = schemas::money_answered)]
    amount: String,
    /// What remains to be paid.
    #[schema(schema_with = schemas::money_answered)]
    shortfall: String,
}

/// Something that was heard of a sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SaleEvent)]
struct EventBody {
    /// Vendron's name for it, or ours.
    name: String,
    /// In one word, where there is one.
    #[schema(required)]
    status: Option<String>,
    /// For people; may be empty.
    message: String,
    #[schema(schema_with = schemas::time)]
    at: String,
}

impl TransactionBody {
    /// The transaction with its events.
    pub(super) fn whole(mut transaction: Transaction) -> Result<Self, Problem> {
        let events = std::mem::take(&mut transaction.events).into_iter().map(EventBody::from).collect();
        Ok(Self { events: Some(events), ..Self::in_list(transaction)? })
    }

    /// The transaction without its events.
    pub(super) fn in_list(transaction: Transaction) -> Result<Self, Problem> {
        let Transaction { authorised, total, products, .. } = transaction;
        Ok(Self {
            transaction_id: transaction.transaction_id,
            r#ref: transaction.sale_ref,
            machine_id: transaction.machine_id,
            user: RawValue::from_string(transaction.buyer.sent).map_err(Problem::unforeseen)?,
            stripe: RawValue::from_string(transaction.stripe).map_err(Problem::unforeseen)?,
            status: transaction.status.as_str(),
            door: transaction.door.as_str(),
            failure: transaction.failure.as_ref().map(FailureBody::from),
            products: products.into_iter().map(|product| ProductBody::new(product, &authorised.currency)).collect(),
            capture: total.as_ref().map(|total| Capture::of(total, &authorised)),
            total: total.map(|total| total.to_decimal()),
            reported_total: transaction.reported_total.map(|total| total.to_decimal()),
            disputed: transaction.is_disputed,
            currency: authorised.currency.code().to_owned(),
            events: None,
            created_at: time(transaction.created_at),
            updated_at: time(transaction.updated_at),
            version: transaction.version,
        })
    }
}

impl From<&Failure> for FailureBody {
    fn from(failure: &Failure) -> Self {
        let (kind, detail) = refusal::explain(failure);
        Self { code: kind.code, detail }
    }
}

impl ProductBody {
    fn new(product: Product, currency: &Currency) -> Self {
        let price = product.unit_price.map(|minor| Money { minor, currency: currency.clone() });
        Self {
            vpn: product.vpn,
            name: product.name,
            unit_price: price.map(|price| price.to_decimal()),
            quantity: product.quantity,
        }
    }
}

impl Capture {
    fn of(total: &Money, authorised: &Money) -> Self {
        let amount = total.minor.min(authorised.minor);
        let decimal = |minor| Money { minor, currency: total.currency.clone() }.to_decimal();
        Self { amount: decimal(amount), shortfall: decimal(total.minor - amount) }
    }
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self { name: event.name, status: event.status, message: event.message, at: time(event.at) }
    }
}

/// A moment as answers have it.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use store::postgres::fridges::Direction;
    use workflows::fridge_sales::{Buyer, DoorStatus, SaleStatus};

    use super::*;

    fn euros(minor: i64) -> Money {
        Money { minor, currency: Currency::parse("EUR").unwrap() }
    }

    /// Two soups for 9.00 of 20.00 EUR.
    fn transaction() -> Transaction {
        let at = DateTime::from_timestamp_millis(1_767_225_600_120).unwrap();
        let product = Product { vpn: "1".to_owned(), name: "Soup".to_owned(), unit_price: Some(450), quantity: 2 };
        let event = Event {
            sequence: 7,
            event_id: Uuid::from_u128(3),
            direction: Direction::Received,
            name: "smart_fridge_request_completed".to_owned(),
            status: None,
            message: "done".to_owned(),
            at,
        };
        let sent = r#"{"id":"1","email":"a@b.c","name":"A"}"#.to_owned();
        Transaction {
            transaction_id: Uuid::from_u128(1),
            sale_ref: Uuid::from_u128(2),
            machine_id: "FRIDGE-1".to_owned(),
            frontend: "frontend:app".to_owned(),
            buyer: Buyer { id: "1".to_owned(), email: "new@b.c".to_owned(), sent },
            stripe: r#"{"payment_intent_id":"pi_1","amount":"20.00","currency":"EUR"}"#.to_owned(),
            authorised: euros(2000),
            status: SaleStatus::Completed,
            door: DoorStatus::Closed,
            failure: None,
            products: vec![product],
            total: Some(euros(900)),
            reported_total: Some(euros(900)),
            is_disputed: false,
            events: vec![event],
            version: 9,
            created_at: at,
            updated_at: at,
            opened_at: Some(at),
            closed_at: Some(at),
            ended_at: Some(at),
        }
    }

    fn shown(transaction: Transaction) -> Value {
        serde_json::to_value(TransactionBody::whole(transaction).unwrap()).unwrap()
    }

    #[test]
    fn a_transaction_has_the_fields_of_the_api() {
        let mut expected = json!({
            "transaction_id": "00000000-0000-0000-0000-000000000001", "ref": "00000000-0000-0000-0000-000000000002",
            "machine_id": "FRIDGE-1", "user": {"id": "1", "email": "a@b.c", "name": "A"},
            "stripe": {"payment_intent_id": "pi_1", "amount": "20.00", "currency": "EUR"},
            "status": "completed", "door": "closed", "failure": null,
            "products": [{"vpn": "1", "name": "Soup", "unit_price": "4.50", "quantity": 2}],
            "total": "9.00", "reported_total": "9.00", "disputed": false,
            "capture": {"amount": "9.00", "shortfall": "0.00"}, "currency": "EUR",
            "events": [{"name": "smart_fridge_request_completed", "status": null, "message": "done",
                "at": "2026-01-01T00:00:00.120Z"}],
            "created_at": "2026-01-01T00:00:00.120Z", "updated_at": "2026-01-01T00:00:00.120Z", "version": 9
        });
        assert_eq!(shown(transaction()), expected);
        expected.as_object_mut().unwrap().remove("events");
        let in_list = serde_json::to_value(TransactionBody::in_list(transaction()).unwrap()).unwrap();
        assert_eq!(in_list, expected);
    }

    #[test]
    fn no_more_is_captured_than_is_authorised() {
        let capture = |total| shown(Transaction { total, ..transaction() })["capture"].take();
        assert_eq!(capture(Some(euros(2000))), json!({"amount": "20.00", "shortfall": "0.00"}));
        assert_eq!(capture(Some(euros(2350))), json!({"amount": "20.00", "shortfall": "3.50"}));
        assert_eq!(capture(Some(euros(0))), json!({"amount": "0.00", "shortfall": "0.00"}));
        assert_eq!(capture(None), Value::Null);
    }

    #[test]
    fn what_is_unknown_is_null_and_a_failure_says_why() {
        let unpriced = Product { vpn: String::new(), name: "Soup".to_owned(), unit_price: None, quantity: 1 };
        let failed = Transaction {
            status: SaleStatus::Failed,
            failure: Some(Failure::Refused { code: Some(-11), message: "subscription expired".to_owned() }),
            products: vec![unpriced],
            total: None,
            reported_total: None,
            ..transaction()
        };
        let shown = shown(failed);
        assert_eq!(shown["products"][0]["unit_price"], Value::Null);
        assert_eq!((&shown["total"], &shown["reported_total"]), (&Value::Null, &Value::Null));
        let detail = "Vendron refused with code -11: subscription expired";
        assert_eq!(shown["failure"], json!({"code": "fridge_refused", "detail": detail}));
    }
}
