use std::time::Duration;

use serde::Deserialize;
use store::postgres::catalogue::PaymentOption;
use utoipa::ToSchema;

use super::{asset, begin::Terms, texts};
use crate::{
    json,
    openapi::schemas,
    problem::{FieldError, Problem, kinds, noted},
    text::{self, Lines},
};

const LONGEST_EXTERNAL_ID: usize = 200;
const LONGEST_EXPIRY_SECONDS: u64 = 30 * 24 * 60 * 60;

/// What the invoice is to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "coin_id": "usdt", "network_id": "tron", "amount": "12.50", "title": "Two coffees",
    "checkout_url": "https://shop.example/done", "expires_in_seconds": 900, "external_id": "order-2041",
})))]
pub(crate) struct CreateInvoice {
    /// Coin, as in `GET /payment-options`.
    coin_id: String,
    /// Network, as in `GET /payment-options`.
    network_id: String,
    #[schema(schema_with = schemas::amount)]
    amount: String,
    /// Shown to the buyer; one line.
    #[serde(default)]
    #[schema(max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    pub(super) title: String,
    /// Shown to the buyer; may have lines.
    #[serde(default)]
    #[schema(max_length = 2000, pattern = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$")]
    pub(super) description: String,
    /// Where the buyer goes after paying: an absolute http or https URL without credentials, or nothing.
    #[serde(default)]
    #[schema(
        max_length = 2000,
        pattern = r"^(https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][!#-;=?-\[\]_a-z~]*)?)?$"
    )]
    pub(super) checkout_url: String,
    /// Time to pay.
    #[serde(default = "quarter_of_an_hour", deserialize_with = "json::whole")]
    #[schema(minimum = 1, maximum = 2_592_000, default = 900)]
    expires_in_seconds: i64,
    /// The merchant's own id; one invoice has it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    pub(super) external_id: Option<String>,
}

/// The time to pay where nobody says otherwise, in seconds.
pub(crate) const fn quarter_of_an_hour() -> i64 {
    900
}

impl CreateInvoice {
    /// The terms of the invoice, or every field that is unacceptable.
    pub(super) fn check(&self, options: &[PaymentOption]) -> Result<Terms, Problem> {
        let mut errors = self.texts();
        let option = noted(asset::option(options, &self.coin_id, &self.network_id), &mut errors);
        let amount = noted(asset::amount(&self.amount, option), &mut errors);
        let expires_in = noted(expires_in(self.expires_in_seconds), &mut errors);
        match (option, amount, expires_in) {
            (Some(option), Some(amount), Some(expires_in)) if errors.is_empty() => {
                Ok(Terms { option: option.clone(), amount, expires_in })
            }
            _ => Err(Problem::with_errors(kinds::UNACCEPTABLE, "see \"errors\" for each field", errors)),
        }
    }

    fn texts(&self) -> Vec<FieldError> {
        let mut flaws = texts::flaws(&self.title, &self.description, &self.checkout_url);
        let external_id = self.external_id.as_deref().and_then(external_id_flaw);
        flaws.extend(external_id.map(|flaw| FieldError::new("external_id", flaw)));
        flaws
    }
}

/// The time to pay that a field `expires_in_seconds` asks for.
pub(crate) fn expires_in(seconds: i64) -> Result<Duration, FieldError> {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    if (1..=LONGEST_EXPIRY_SECONDS).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(FieldError::new("expires_in_seconds", format!("is not between 1 and {LONGEST_EXPIRY_SECONDS}")))
}

fn external_id_flaw(external_id: &str) -> Option<String> {
    if external_id.is_empty() {
        return Some("is empty: leave it out, or send null".to_owned());
    }
    text::flaw(external_id, LONGEST_EXTERNAL_ID, Lines::One)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::invoices::asset::tests::options;

    fn body(changes: &Value) -> CreateInvoice {
        let mut body = json!({"coin_id": "usdt", "network_id": "tron", "amount": "12.50"});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    fn refused(changes: &Value) -> String {
        format!("{:?}", body(changes).check(&options()).unwrap_err())
    }

    #[test]
    fn the_shortest_body_is_accepted() {
        let terms = body(&json!({})).check(&options()).unwrap();
        assert_eq!((terms.amount, terms.expires_in.as_secs()), (12_500_000.into(), 900));
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        let changes = json!({
            "amount": "0.001", "title": "t".repeat(200), "description": "line\n".repeat(400), "external_id": "é".repeat(200),
            "checkout_url": "https://shop.example/thanks?order=1#top", "expires_in_seconds": 2_592_000
        });
        body(&changes).check(&options()).unwrap();
        body(&json!({"expires_in_seconds": 1, "checkout_url": ""})).check(&options()).unwrap();
    }

    #[test]
    fn each_unacceptable_field_is_named() {
        for (field, value) in [
            ("coin_id", json!("doge")),
            ("coin_id", json!("btc")),
            ("network_id", json!("solana")),
            ("amount", json!("0")),
            ("amount", json!("0.000999")),
            ("amount", json!("1.2345678")),
            ("amount", json!("-1")),
            ("amount", json!("1e3")),
            ("title", json!("t".repeat(201))),
            ("title", json!("a\u{0}")),
            ("description", json!("d".repeat(2001))),
            ("description", json!("a\u{0}")),
            ("checkout_url", json!("javascript:alert(1)")),
            ("checkout_url", json!("//shop.example")),
            ("checkout_url", json!("https://user:pass@shop.example/")),
            ("checkout_url", json!("https://shop.example/a b")),
            ("checkout_url", json!("https://shop.example/<b>")),
            ("checkout_url", json!(format!("https://shop.example/{}", "a".repeat(2000)))),
            ("external_id", json!("")),
            ("external_id", json!("e".repeat(201))),
            ("external_id", json!("a\nb")),
            ("expires_in_seconds", json!(0)),
            ("expires_in_seconds", json!(-1)),
            ("expires_in_seconds", json!(2_592_001)),
        ] {
            let refused = refused(&json!({field: value}));
            assert!(refused.contains(&format!("field: {field:?}")), "{field} {value}: {refused}");
        }
    }

    #[test]
    fn what_is_not_available_now_is_refused() {
        assert!(refused(&json!({"coin_id": "eth", "network_id": "ethereum"})).contains("not available"));
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let refused = refused(&json!({"coin_id": "x", "amount": "x", "title": "\n", "expires_in_seconds": 0}));
        for field in ["coin_id", "amount", "title", "expires_in_seconds"] {
            assert!(refused.contains(&format!("field: {field:?}")), "{field}: {refused}");
        }
    }
}
