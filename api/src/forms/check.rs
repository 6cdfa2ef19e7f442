use serde::{Deserialize, Deserializer};
use store::postgres::{catalogue::PaymentOption, forms::FormFields};
use utoipa::ToSchema;

use crate::{
    invoices::{asset, expires_in, quarter_of_an_hour, texts},
    json,
    openapi::schemas,
    problem::{FieldError, Problem, kinds, noted},
};

const MOST_USES: i64 = 1_000_000_000;

/// What the form is to be. What is null is left to the buyer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "coin_id": "usdt", "network_id": null, "amount": null, "title": "Donations",
    "checkout_url": "https://shop.example/thanks", "enabled": true, "max_uses": null, "expires_in_seconds": 900,
})))]
pub(crate) struct CreateForm {
    #[serde(default)]
    #[schema(schema_with = schemas::open_id)]
    coin_id: Option<String>,
    #[serde(default)]
    #[schema(schema_with = schemas::open_id)]
    network_id: Option<String>,
    #[serde(default)]
    #[schema(schema_with = schemas::open_amount)]
    amount: Option<String>,
    #[serde(default)]
    #[schema(schema_with = schemas::title)]
    title: String,
    #[serde(default)]
    #[schema(schema_with = schemas::description)]
    description: String,
    #[serde(default)]
    #[schema(schema_with = schemas::checkout_url)]
    checkout_url: String,
    /// Whether it can be submitted.
    #[serde(default = "switched_on")]
    #[schema(default = true)]
    enabled: bool,
    #[serde(default)]
    #[schema(schema_with = schemas::max_uses)]
    max_uses: Option<Whole>,
    /// Time to pay of each invoice.
    #[serde(default = "quarter_of_an_hour", deserialize_with = "json::whole")]
    #[schema(minimum = 1, maximum = 2_592_000, default = 900)]
    expires_in_seconds: i64,
}

/// A value, or nothing: the buyer's turn.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
struct OrBlank<T>(Option<T>);

/// What is to be otherwise. What is absent stays as it is; what is null is left to the buyer from now on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"amount": "12.50", "enabled": false})))]
pub(crate) struct ChangeForm {
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::open_id)]
    coin_id: Option<OrBlank<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::open_id)]
    network_id: Option<OrBlank<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::open_amount)]
    amount: Option<OrBlank<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::title)]
    title: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::description)]
    description: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::checkout_url)]
    checkout_url: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::max_uses)]
    max_uses: Option<OrBlank<Whole>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = schemas::expires_in_seconds)]
    expires_in_seconds: Option<Whole>,
}

/// A whole number in either of its spellings.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Whole(#[serde(deserialize_with = "json::whole")] pub(super) i64);

const fn switched_on() -> bool {
    true
}

/// A field that is there, so that null is not the same as nothing.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl CreateForm {
    /// The fields of the form, acceptable or not. The same body always says the same, whatever is in the catalogue.
    pub(super) fn fields(self) -> FormFields {
        FormFields {
            coin_id: self.coin_id,
            network_id: self.network_id,
            amount: self.amount.map(plain),
            title: self.title,
            description: self.description,
            checkout_url: self.checkout_url,
            enabled: self.enabled,
            max_uses: self.max_uses.map(|Whole(number)| number),
            expires_in_seconds: self.expires_in_seconds,
        }
    }
}

impl ChangeForm {
    /// The fields that the form has from now on, or every one that is unacceptable. The catalogue matters only to what
    /// is to be paid otherwise than now: whatever has become of it, a form can be switched off.
    pub(super) fn check(self, now: &FormFields, options: &[PaymentOption]) -> Result<FormFields, Problem> {
        let fields = self.fields(now.clone());
        if is_paid_alike(&fields, now) {
            refuse(flaws(&fields))?;
        } else {
            check(&fields, options)?;
        }
        Ok(fields)
    }

    fn fields(self, now: FormFields) -> FormFields {
        let text = |OrBlank(text)| text;
        let number = |Whole(number)| number;
        FormFields {
            coin_id: self.coin_id.map_or(now.coin_id, text),
            network_id: self.network_id.map_or(now.network_id, text),
            amount: self.amount.map_or(now.amount, |OrBlank(amount)| amount.map(plain)),
            title: self.title.unwrap_or(now.title),
            description: self.description.unwrap_or(now.description),
            checkout_url: self.checkout_url.unwrap_or(now.checkout_url),
            enabled: self.enabled.unwrap_or(now.enabled),
            max_uses: self.max_uses.map_or(now.max_uses, |OrBlank(most)| most.map(number)),
            expires_in_seconds: self.expires_in_seconds.map_or(now.expires_in_seconds, number),
        }
    }
}

/// The amount as answers have it; what is none stays as it is.
fn plain(amount: String) -> String {
    asset::plain_amount(&amount, None).unwrap_or(amount)
}

/// Whether both ask buyers for the same.
fn is_paid_alike(one: &FormFields, other: &FormFields) -> bool {
    (&one.coin_id, &one.network_id, &one.amount) == (&other.coin_id, &other.network_id, &other.amount)
}

/// Names every field that is unacceptable.
pub(super) fn check(fields: &FormFields, options: &[PaymentOption]) -> Result<(), Problem> {
    let mut errors = flaws(fields);
    let option = noted(fixed_option(fields, options), &mut errors).flatten();
    if let Some(amount) = &fields.amount {
        noted(asset::amount(amount, option), &mut errors);
    }
    refuse(errors)
}

/// What is unacceptable whatever is in the catalogue.
fn flaws(fields: &FormFields) -> Vec<FieldError> {
    let mut errors = texts::flaws(&fields.title, &fields.description, &fields.checkout_url);
    noted(expires_in(fields.expires_in_seconds), &mut errors);
    if fields.max_uses.is_some_and(|most| !(1..=MOST_USES).contains(&most)) {
        errors.push(FieldError::new("max_uses", format!("is not between 1 and {MOST_USES}")));
    }
    errors
}

fn refuse(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Problem::with_errors(kinds::UNACCEPTABLE, "see \"errors\" for each field", errors))
}

/// The payment option that the form fixes, if it leaves none of it to the buyer. It need not be available just now.
fn fixed_option<'a>(
    fields: &FormFields,
    options: &'a [PaymentOption],
) -> Result<Option<&'a PaymentOption>, FieldError> {
    match (&fields.coin_id, &fields.network_id) {
        (Some(coin), Some(network)) => asset::pair(options, coin, network).map(Some),
        (Some(coin), None) => asset::know_coin(options, coin).map(|()| None),
        (None, Some(network)) => asset::know_network(options, network).map(|()| None),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{forms::tests::blank, invoices::asset::tests::options};

    fn create(body: &Value) -> Result<FormFields, Problem> {
        let fields = json::parse::<CreateForm>(body.to_string().as_bytes())?.fields();
        check(&fields, &options()).map(|()| fields)
    }

    fn change(now: &FormFields, body: &Value) -> Result<FormFields, Problem> {
        json::parse::<ChangeForm>(body.to_string().as_bytes())?.check(now, &options())
    }

    fn fixed() -> FormFields {
        let (coin_id, network_id) = (Some("usdt".to_owned()), Some("tron".to_owned()));
        FormFields { coin_id, network_id, amount: Some("12.5".to_owned()), max_uses: Some(7), ..blank() }
    }

    #[test]
    fn the_shortest_form_leaves_everything_to_the_buyer() {
        assert_eq!(create(&json!({})).unwrap(), FormFields { title: String::new(), ..blank() });
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        let body = json!({
            "coin_id": "usdt", "network_id": "tron", "amount": "0.00100", "title": "t".repeat(200),
            "checkout_url": "https://shop.example/", "enabled": false, "max_uses": 1_000_000_000,
            "expires_in_seconds": 2_592_000
        });
        let fields = create(&body).unwrap();
        assert_eq!(
            (fields.amount.as_deref(), fields.enabled, fields.max_uses),
            (Some("0.001"), false, Some(MOST_USES))
        );
        create(&json!({"coin_id": "eth", "network_id": "ethereum"}))
            .expect("what is not available now may be tomorrow");
        let any_coin = create(&json!({"amount": "0.000000000000000000000000001"})).unwrap();
        assert_eq!(any_coin.amount.as_deref(), Some("0.000000000000000000000000001"));
    }

    #[test]
    fn each_unacceptable_field_is_named() {
        for (field, body) in [
            ("coin_id", json!({"coin_id": "doge"})),
            ("coin_id", json!({"coin_id": ""})),
            ("coin_id", json!({"coin_id": "btc", "network_id": "tron"})),
            ("network_id", json!({"network_id": "solana"})),
            ("amount", json!({"amount": ""})),
            ("amount", json!({"amount": "0"})),
            ("amount", json!({"amount": "1e3"})),
            ("amount", json!({"coin_id": "usdt", "network_id": "tron", "amount": "0.0000001"})),
            ("amount", json!({"coin_id": "usdt", "network_id": "tron", "amount": "0.000999"})),
            ("title", json!({"title": "a\n"})),
            ("description", json!({"description": "d".repeat(2001)})),
            ("checkout_url", json!({"checkout_url": "javascript:alert(1)"})),
            ("max_uses", json!({"max_uses": 0})),
            ("max_uses", json!({"max_uses": 1_000_000_001})),
            ("expires_in_seconds", json!({"expires_in_seconds": 0})),
            ("expires_in_seconds", json!({"expires_in_seconds": 2_592_001})),
        ] {
            for refused in [create(&body), change(&blank(), &body)] {
                let refused = refused.unwrap_err();
                assert_eq!(refused.code(), "unacceptable", "{body}");
                assert!(format!("{refused:?}").contains(&format!("field: {field:?}")), "{body}: {refused:?}");
            }
        }
    }

    #[test]
    fn what_is_absent_stays_and_what_is_null_is_blank() {
        assert_eq!(change(&fixed(), &json!({})).unwrap(), fixed());
        let open = json!({"coin_id": null, "network_id": null, "amount": null, "max_uses": null});
        assert_eq!(change(&fixed(), &open).unwrap(), blank());
        let amount = change(&fixed(), &json!({"amount": "20.00"})).unwrap();
        assert_eq!(amount, FormFields { amount: Some("20".to_owned()), ..fixed() });
        let off = change(&blank(), &json!({"enabled": false, "max_uses": 9.0, "expires_in_seconds": 6e1})).unwrap();
        assert_eq!(off, FormFields { enabled: false, max_uses: Some(9), expires_in_seconds: 60, ..blank() });
    }

    #[test]
    fn a_change_has_to_fit_what_stays() {
        let refused = change(&fixed(), &json!({"network_id": "bitcoin"})).unwrap_err();
        assert!(format!("{refused:?}").contains("usdt is not on bitcoin"), "{refused:?}");
        let precise = FormFields { amount: Some("0.00000001".to_owned()), ..blank() };
        let refused = change(&precise, &json!({"coin_id": "usdt", "network_id": "tron"})).unwrap_err();
        assert!(format!("{refused:?}").contains("field: \"amount\""), "{refused:?}");
    }

    #[test]
    fn what_fits_no_longer_can_be_switched_off_and_not_be_made_worse() {
        let gone = FormFields { coin_id: Some("doge".to_owned()), ..fixed() };
        let less = FormFields { amount: Some("0.0001".to_owned()), ..fixed() };
        for now in [gone, less] {
            let off = change(&now, &json!({"enabled": false, "max_uses": 1, "amount": now.amount})).unwrap();
            assert_eq!(off, FormFields { enabled: false, max_uses: Some(1), ..now.clone() });
            assert_eq!(change(&now, &json!({"max_uses": 0})).unwrap_err().code(), "unacceptable");
            assert_eq!(change(&now, &json!({"amount": "0.0002"})).unwrap_err().code(), "unacceptable");
        }
    }

    #[test]
    fn a_body_says_the_same_though_the_catalogue_is_another() {
        let body = json!({"coin_id": "usdt", "network_id": "tron", "amount": "012.500"});
        let again = json::parse::<CreateForm>(body.to_string().as_bytes()).unwrap().fields();
        assert_eq!(check(&again, &[]).unwrap_err().code(), "unacceptable");
        assert_eq!((again.amount.as_deref(), &again), (Some("12.5"), &create(&body).unwrap()));
    }

    #[test]
    fn what_cannot_be_blank_takes_no_null() {
        for field in ["title", "description", "checkout_url", "enabled", "expires_in_seconds"] {
            for refused in [create(&json!({field: null})), change(&blank(), &json!({field: null}))] {
                assert_eq!(refused.unwrap_err().code(), "invalid_body", "{field}");
            }
        }
        for body in [json!({"max_uses": 1.5}), json!({"max_uses": [1]}), json!({"amount": 5}), json!({"uses": 1})] {
            for refused in [create(&body), change(&blank(), &body)] {
                assert_eq!(refused.unwrap_err().code(), "invalid_body", "{body}");
            }
        }
    }
}
