//! What a form and its buyer say together: what the form fixes is never overwritten, and what it leaves open has to be
//! filled.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::postgres::{catalogue::PaymentOption, forms::FormFields};
use utoipa::ToSchema;

use super::check::Whole;
use crate::{
    invoices::{asset, begin::Terms, expires_in},
    openapi::schemas,
    problem::{FieldError, Problem, kinds, noted},
};

const COIN: &str = "coin_id";
const NETWORK: &str = "network_id";
const AMOUNT: &str = "amount";

/// What a buyer says. Whatever is not asked for is ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormSubmission, examples(json!({"amount": "12.50", "form_version": 1})))]
pub(crate) struct Submission {
    #[serde(default)]
    #[schema(schema_with = schemas::said_by_buyer)]
    coin_id: Value,
    #[serde(default)]
    #[schema(schema_with = schemas::said_by_buyer)]
    network_id: Value,
    #[serde(default)]
    #[schema(schema_with = schemas::said_by_buyer)]
    amount: Value,
    #[serde(default)]
    #[schema(schema_with = schemas::form_version)]
    form_version: Option<Whole>,
}

impl Submission {
    /// Which version of the form the buyer was shown, if he says so.
    pub(super) fn form_version(&self) -> Result<Option<i64>, Problem> {
        let version = self.form_version.map(|Whole(version)| version);
        if version.is_some_and(|version| version < 1) {
            return Err(Problem::with_error(kinds::UNACCEPTABLE, "form_version", "is no version of a form"));
        }
        Ok(version)
    }
}

/// A form with all its blanks filled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) terms: Terms,
    /// The names of the fields that were the buyer's to fill.
    pub(super) by_buyer: Vec<String>,
}

/// Who said what each field is: `form` or `buyer`.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FormSources)]
pub(super) struct Sources {
    #[schema(schema_with = schemas::form_source)]
    coin_id: &'static str,
    #[schema(schema_with = schemas::form_source)]
    network_id: &'static str,
    #[schema(schema_with = schemas::form_source)]
    amount: &'static str,
}

impl Sources {
    pub(super) fn new(by_buyer: &[String]) -> Self {
        let source = |field: &str| if by_buyer.iter().any(|filled| filled == field) { "buyer" } else { "form" };
        Self { coin_id: source(COIN), network_id: source(NETWORK), amount: source(AMOUNT) }
    }
}

/// Fills what the form leaves open, or names every field that cannot be filled so.
pub(super) fn fill(form: &FormFields, said: &Submission, options: &[PaymentOption]) -> Result<Filled, Problem> {
    let mut errors = Vec::new();
    let open = open(form);
    let coin = noted(value(COIN, form.coin_id.as_deref(), &said.coin_id), &mut errors);
    let network = noted(value(NETWORK, form.network_id.as_deref(), &said.network_id), &mut errors);
    let amount = noted(value(AMOUNT, form.amount.as_deref(), &said.amount), &mut errors);
    let option = coin.zip(network).and_then(|(coin, network)| {
        let option = asset::option(options, coin, network);
        noted(option.map_err(|error| at_open_field(error, &open)), &mut errors)
    });
    let amount = amount.and_then(|amount| {
        let amount = asset::amount(amount, option);
        noted(amount.map_err(|error| at_open_field(error, &open)), &mut errors)
    });
    let expires_in = noted(expires_in(form.expires_in_seconds), &mut errors);
    match (option, amount, expires_in) {
        (Some(option), Some(amount), Some(expires_in)) if errors.is_empty() => Ok(Filled {
            terms: Terms { option: option.clone(), amount, expires_in },
            by_buyer: open.into_iter().map(str::to_owned).collect(),
        }),
        _ => Err(Problem::with_errors(kinds::UNACCEPTABLE, "see \"errors\" for each field", errors)),
    }
}

/// The fields that are the buyer's to fill.
fn open(form: &FormFields) -> Vec<&'static str> {
    let fields = [(COIN, &form.coin_id), (NETWORK, &form.network_id), (AMOUNT, &form.amount)];
    fields.into_iter().filter(|(_, fixed)| fixed.is_none()).map(|(field, _)| field).collect()
}

/// The form's value, whatever else is said; the buyer's where it has none.
fn value<'a>(field: &str, fixed: Option<&'a str>, said: &'a Value) -> Result<&'a str, FieldError> {
    match (fixed, said) {
        (Some(fixed), _) => Ok(fixed),
        (None, Value::String(text)) if !text.is_empty() => Ok(text),
        (None, Value::Null | Value::String(_)) => Err(FieldError::new(field, "is missing: the form leaves it open")),
        (None, _) => Err(FieldError::new(field, "is no text")),
    }
}

/// Names a field that the buyer can say something else in, where there is one.
fn at_open_field(error: FieldError, open: &[&str]) -> FieldError {
    let choice = open.iter().find(|field| **field != AMOUNT);
    match choice {
        Some(field) if !open.contains(&error.field.as_str()) => {
            let what = if error.field == AMOUNT { "the amount of the form " } else { "" };
            FieldError::new(*field, format!("{what}{}", error.detail))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{forms::tests::blank, invoices::asset::tests::options, json};

    fn form(fixed: &Value) -> FormFields {
        let text = |field: &str| fixed[field].as_str().map(str::to_owned);
        FormFields { coin_id: text(COIN), network_id: text(NETWORK), amount: text(AMOUNT), ..blank() }
    }

    fn submit(fixed: &Value, said: &Value) -> Result<(String, String, String, Value), Problem> {
        let said = json::parse::<Submission>(said.to_string().as_bytes())?;
        let Filled { terms, by_buyer } = fill(&form(fixed), &said, &options())?;
        let sources = serde_json::to_value(Sources::new(&by_buyer)).unwrap();
        let amount = terms.amount.to_decimal(terms.option.decimals);
        Ok((terms.option.coin_id, terms.option.network_id, amount, sources))
    }

    /// The fields that a refusal names.
    fn refused(fixed: &Value, said: &Value) -> Vec<String> {
        let refused = format!("{:?}", submit(fixed, said).unwrap_err());
        let named = refused.split("field: \"").skip(1).filter_map(|rest| rest.split('"').next());
        named.map(str::to_owned).collect()
    }

    #[test]
    fn what_the_form_fixes_wins_whatever_is_sent() {
        let fixed = json!({"coin_id": "usdt", "network_id": "tron", "amount": "12.5"});
        let sources = json!({"coin_id": "form", "network_id": "form", "amount": "form"});
        for said in [
            json!({}),
            json!({"coin_id": "btc", "network_id": "bitcoin", "amount": "0.01"}),
            json!({"coin_id": 7, "network_id": ["tron"], "amount": {"$gt": 0}}),
            json!({"coin_id": null, "network_id": "", "amount": -1}),
            json!({"merchant_id": "somebody", "title": "free", "expires_in_seconds": 1, "external_id": "x"}),
        ] {
            let filled = submit(&fixed, &said).unwrap();
            assert_eq!(filled, ("usdt".to_owned(), "tron".to_owned(), "12.5".to_owned(), sources.clone()), "{said}");
        }
    }

    #[test]
    fn the_buyer_fills_the_blanks_and_nothing_else() {
        let said = json!({"coin_id": "btc", "network_id": "bitcoin", "amount": "0.01"});
        let filled = submit(&json!({}), &said).unwrap();
        let sources = json!({"coin_id": "buyer", "network_id": "buyer", "amount": "buyer"});
        assert_eq!(filled, ("btc".to_owned(), "bitcoin".to_owned(), "0.01".to_owned(), sources));
        let said = json!({"coin_id": "btc", "network_id": "bitcoin", "amount": "7.00"});
        let filled = submit(&json!({"coin_id": "usdt", "network_id": "tron"}), &said).unwrap();
        let sources = json!({"coin_id": "form", "network_id": "form", "amount": "buyer"});
        assert_eq!(filled, ("usdt".to_owned(), "tron".to_owned(), "7".to_owned(), sources));
    }

    #[test]
    fn a_blank_has_to_be_filled() {
        for nothing in [json!({}), json!({"amount": null}), json!({"amount": ""})] {
            assert_eq!(refused(&json!({"coin_id": "usdt", "network_id": "tron"}), &nothing), ["amount"], "{nothing}");
        }
        assert_eq!(refused(&json!({}), &json!({"amount": "1"})), ["coin_id", "network_id"]);
        assert_eq!(refused(&json!({}), &json!({"coin_id": 0, "network_id": [], "amount": 1})), [COIN, NETWORK, AMOUNT]);
    }

    #[test]
    fn a_blank_is_filled_as_an_invoice_is_asked_for() {
        for amount in ["0", "-1", "1e3", "1,5", " 1", "0.000999", "0.0000001", "１", &"9".repeat(81)] {
            let fixed = json!({"coin_id": "usdt", "network_id": "tron"});
            assert_eq!(refused(&fixed, &json!({"amount": amount})), ["amount"], "{amount:?}");
        }
        let said = |coin: &str, network: &str| json!({"coin_id": coin, "network_id": network, "amount": "1"});
        assert_eq!(refused(&json!({}), &said("doge", "tron")), ["coin_id"]);
        assert_eq!(refused(&json!({}), &said("btc", "solana")), ["network_id"]);
        assert_eq!(refused(&json!({}), &said("eth", "ethereum")), ["coin_id"], "it is not available");
    }

    #[test]
    fn the_buyer_is_told_of_what_he_can_change() {
        let amount = json!({"network_id": "bitcoin", "amount": "1"});
        assert_eq!(refused(&json!({"coin_id": "usdt"}), &amount), ["network_id"]);
        let precise = json!({"network_id": "tron", "amount": "0.0000001"});
        assert_eq!(refused(&precise, &json!({"coin_id": "usdt"})), ["coin_id"]);
        assert_eq!(refused(&json!({"coin_id": "eth", "network_id": "ethereum"}), &json!({"amount": "1"})), ["coin_id"]);
    }

    #[test]
    fn a_version_of_a_form_is_a_number() {
        let version = |said: &Value| json::parse::<Submission>(said.to_string().as_bytes())?.form_version();
        assert_eq!(version(&json!({})).unwrap(), None);
        assert_eq!(version(&json!({"form_version": null})).unwrap(), None);
        assert_eq!(version(&json!({"form_version": 2.0})).unwrap(), Some(2));
        assert_eq!(version(&json!({"form_version": 0})).unwrap_err().code(), "unacceptable");
        assert_eq!(version(&json!({"form_version": "1"})).unwrap_err().code(), "invalid_body");
    }
}
