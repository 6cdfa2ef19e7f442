use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use workflows::{domain::Money, fridge_sales::Buyer};

use crate::{
    json, money,
    openapi::schemas,
    problem::{FieldError, Problem, kinds},
    text::{self, Lines},
};

/// Of ids that the frontend and Stripe gave.
pub(super) const LONGEST_ID: usize = 200;
const LONGEST_EMAIL: usize = 254;
/// Of each object that is kept as it was sent, in bytes.
const LONGEST_OBJECT: usize = 4096;

/// Who buys, and what Stripe has authorised.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "user": {"id": "1643366412345x678", "email": "buyer@example.com"},
    "stripe": {"payment_intent_id": "pi_3P9xQ2", "amount": "20.00", "currency": "EUR"},
})))]
pub(crate) struct OpenMachine {
    /// Kept as it is sent, whatever else it says, up to 4 KiB.
    #[serde(deserialize_with = "json::object")]
    user: User,
    /// Kept as it is sent, whatever else it says, up to 4 KiB.
    #[serde(deserialize_with = "json::object")]
    stripe: Authorisation,
}

/// A user of the frontend, and whatever else it says of him.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Buyer)]
pub(super) struct User {
    /// His id at the frontend.
    #[schema(schema_with = schemas::foreign_id)]
    id: String,
    #[schema(schema_with = schemas::email)]
    email: String,
}

/// A transaction of Stripe, and whatever else the frontend says of it.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = StripeAuthorisation)]
pub(super) struct Authorisation {
    /// Stripe's id of it.
    #[schema(schema_with = schemas::foreign_id)]
    payment_intent_id: String,
    /// The most that can be captured.
    #[schema(schema_with = schemas::money)]
    amount: String,
    #[schema(schema_with = schemas::currency)]
    currency: String,
}

/// The objects that are kept, letter by letter.
#[derive(Deserialize)]
struct AsSent<'a> {
    #[serde(borrow)]
    user: &'a RawValue,
    #[serde(borrow)]
    stripe: &'a RawValue,
}

/// What the body means, once it is accepted.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) buyer: Buyer,
    pub(super) stripe: String,
    pub(super) authorised: Money,
}

impl OpenMachine {
    /// What is to be sold, or every field that is unacceptable. `raw` is what this was read from.
    pub(super) fn check(self, raw: &[u8]) -> Result<Order, Problem> {
        let sent: AsSent<'_> = serde_json::from_slice(raw).map_err(Problem::unforeseen)?;
        let mut errors = self.flaws(&sent);
        let (amount, currency) = (&self.stripe.amount, &self.stripe.currency);
        let authorised = money::read(("stripe.amount", amount), ("stripe.currency", currency), &mut errors);
        let Some(authorised) = authorised.filter(|_| errors.is_empty()) else {
            return Err(Problem::with_errors(kinds::UNACCEPTABLE, "see \"errors\" for each field", errors));
        };
        let User { id, email } = self.user;
        let buyer = Buyer { id, email, sent: sent.user.get().to_owned() };
        Ok(Order { buyer, stripe: sent.stripe.get().to_owned(), authorised })
    }

    fn flaws(&self, sent: &AsSent<'_>) -> Vec<FieldError> {
        let flaws = [
            ("user", size_flaw(sent.user)),
            ("stripe", size_flaw(sent.stripe)),
            ("user.id", id_flaw(&self.user.id)),
            ("user.email", email_flaw(&self.user.email)),
            ("stripe.payment_intent_id", id_flaw(&self.stripe.payment_intent_id)),
        ];
        flaws.into_iter().filter_map(|(field, flaw)| Some(FieldError::new(field, flaw?))).collect()
    }
}

fn size_flaw(sent: &RawValue) -> Option<String> {
    (sent.get().len() > LONGEST_OBJECT).then(|| format!("is longer than {LONGEST_OBJECT} bytes"))
}

/// What is wrong with an id that somebody else gave, if anything is.
fn id_flaw(id: &str) -> Option<String> {
    if id.is_empty() { Some("is empty".to_owned()) } else { text::flaw(id, LONGEST_ID, Lines::One) }
}

fn email_flaw(email: &str) -> Option<String> {
    let plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ']);
    let can_be_one = email.split_once('@').is_some_and(|(local, domain)| plain(local) && plain(domain));
    let flaw = (!can_be_one).then(|| "is no e-mail address".to_owned());
    flaw.or_else(|| text::flaw(email, LONGEST_EMAIL, Lines::One))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::parse;

    fn body(changes: &[(&str, Value)]) -> Value {
        let mut body = json!({
            "user": {"id": "bubble-1", "email": "a@b.c"},
            "stripe": {"payment_intent_id": "pi_1", "amount": "20.00", "currency": "EUR"}
        });
        for (pointer, value) in changes {
            let (object, field) = pointer.rsplit_once('.').unwrap();
            body[object][field] = value.clone();
        }
        body
    }

    fn check(body: &str) -> Result<Order, Problem> {
        parse::<OpenMachine>(body.as_bytes())?.check(body.as_bytes())
    }

    fn refused(body: &str) -> String {
        format!("{:?}", check(body).unwrap_err())
    }

    #[test]
    fn both_objects_are_kept_letter_by_letter() {
        let (user, stripe) = (
            r#"{ "name":"Zoë", "id":"bubble-1","email":"a@b.c", "age": 1.50e1 }"#,
            r#"{"currency":"EUR","amount":"20.00","payment_intent_id":"pi_1","metadata":{"z":null,"a":[1]}}"#,
        );
        let order = check(&format!("{{\"stripe\": {stripe},\n\"user\": {user}}}")).unwrap();
        assert_eq!((order.buyer.sent.as_str(), order.stripe.as_str()), (user, stripe));
        assert_eq!((order.buyer.id.as_str(), order.buyer.email.as_str()), ("bubble-1", "a@b.c"));
        assert_eq!(order.authorised.to_string(), "20.00 EUR");
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        let email = format!("{}@b", "é".repeat(252));
        let padding = "x".repeat(4096 - body(&[("stripe.more", json!(""))])["stripe"].to_string().len());
        let changes =
            [("user.id", json!("i".repeat(200))), ("user.email", json!(email)), ("stripe.more", json!(padding))];
        assert_eq!(check(&body(&changes).to_string()).unwrap().stripe.len(), 4096);
        check(&body(&[("stripe.amount", json!("0.01"))]).to_string()).unwrap();
    }

    #[test]
    fn each_unacceptable_field_is_named() {
        for (field, value) in [
            ("user.id", json!("")),
            ("user.id", json!("a\nb")),
            ("user.id", json!("i".repeat(201))),
            ("user.email", json!("")),
            ("user.email", json!("nobody")),
            ("user.email", json!("@b.c")),
            ("user.email", json!("a@b@c")),
            ("user.email", json!("a b@c.d")),
            ("user.email", json!(format!("{}@b", "a".repeat(253)))),
            ("stripe.payment_intent_id", json!("")),
            ("stripe.amount", json!("0")),
            ("stripe.amount", json!("20.001")),
            ("stripe.currency", json!("eur")),
        ] {
            let refused = refused(&body(&[(field, value.clone())]).to_string());
            assert!(refused.contains("\"unacceptable\""), "{field} {value}: {refused}");
            assert!(refused.contains(&format!("field: {field:?}")), "{field} {value}: {refused}");
            assert_eq!(refused.matches("field: ").count(), 1, "{field} {value}: {refused}");
        }
        let long = body(&[("user.more", json!("x".repeat(5000))), ("stripe.more", json!("x".repeat(5000)))]);
        let refused = refused(&long.to_string());
        assert!(refused.contains("field: \"user\"") && refused.contains("field: \"stripe\""), "{refused}");
    }

    #[test]
    fn what_is_missing_unknown_or_of_another_kind_cannot_be_read() {
        let with = |name: &str, value: Value| {
            let mut body = body(&[]);
            body[name] = value;
            body
        };
        for (wrong, field) in [
            (with("more", json!(1)), "more"),
            (json!({"user": {"id": "1", "email": "a@b.c"}}), "stripe"),
            (with("user", json!(["1", "a@b.c"])), "user"),
            (with("user", json!({"id": "1"})), "user.email"),
            (with("user", Value::Null), "user"),
            (body(&[("user.id", json!(1))]), "user.id"),
            (body(&[("stripe.amount", json!(20))]), "stripe.amount"),
        ] {
            let refused = refused(&wrong.to_string());
            assert!(refused.contains("\"invalid_body\""), "{wrong}: {refused}");
            assert!(refused.contains(&format!("field: {field:?}")), "{wrong}: {refused}");
        }
    }
}
