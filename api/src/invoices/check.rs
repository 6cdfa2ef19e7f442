use std::time::Duration;

use serde::Deserialize;
use store::postgres::catalogue::PaymentOption;
use utoipa::ToSchema;
use workflows::domain::BaseUnits;

use crate::{
    json,
    openapi::schemas,
    problem::{FieldError, Problem, kinds, noted},
    text::{self, Lines},
};

const LONGEST_AMOUNT: usize = 80;
const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 2000;
const LONGEST_URL: usize = 2000;
const LONGEST_EXTERNAL_ID: usize = 200;
const LONGEST_EXPIRY_SECONDS: u64 = 30 * 24 * 60 * 60;
/// As many as an amount can have digits: only what is no number at all is refused without knowing the coin.
const ANY_DECIMALS: u8 = 78;

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

/// What the body means, once it is accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) option: PaymentOption,
    pub(super) amount: BaseUnits,
    pub(super) expires_in: Duration,
}

const fn quarter_of_an_hour() -> i64 {
    900
}

impl CreateInvoice {
    /// The terms of the invoice, or every field that is unacceptable.
    pub(super) fn check(&self, options: &[PaymentOption]) -> Result<Terms, Problem> {
        let mut errors = self.texts();
        let option = noted(self.option(options), &mut errors);
        let amount = noted(self.amount(option), &mut errors);
        let expires_in = noted(self.expires_in(), &mut errors);
        match (option, amount, expires_in) {
            (Some(option), Some(amount), Some(expires_in)) if errors.is_empty() => {
                Ok(Terms { option: option.clone(), amount, expires_in })
            }
            _ => Err(Problem::with_errors(kinds::UNACCEPTABLE, "see \"errors\" for each field", errors)),
        }
    }

    fn texts(&self) -> Vec<FieldError> {
        let url = text::flaw(&self.checkout_url, LONGEST_URL, Lines::One).or_else(|| url_flaw(&self.checkout_url));
        let external_id = self.external_id.as_deref().and_then(external_id_flaw);
        let flaws = [
            ("title", text::flaw(&self.title, LONGEST_TITLE, Lines::One)),
            ("description", text::flaw(&self.description, LONGEST_DESCRIPTION, Lines::Many)),
            ("checkout_url", url),
            ("external_id", external_id),
        ];
        flaws.into_iter().filter_map(|(field, flaw)| Some(FieldError::new(field, flaw?))).collect()
    }

    fn option<'a>(&self, options: &'a [PaymentOption]) -> Result<&'a PaymentOption, FieldError> {
        let (coin, network) = (&self.coin_id, &self.network_id);
        if !options.iter().any(|option| option.network_id == *network) {
            return Err(FieldError::new("network_id", "is no network of GET /payment-options"));
        }
        if !options.iter().any(|option| option.coin_id == *coin) {
            return Err(FieldError::new("coin_id", "is no coin of GET /payment-options"));
        }
        let option = options.iter().find(|option| option.coin_id == *coin && option.network_id == *network);
        let option = option.ok_or_else(|| FieldError::new("coin_id", format!("{coin} is not on {network}")))?;
        if option.available {
            return Ok(option);
        }
        Err(FieldError::new("coin_id", format!("{coin} on {network} is not available for new invoices")))
    }

    /// Of an unknown coin only what no coin would take is refused.
    fn amount(&self, option: Option<&PaymentOption>) -> Result<BaseUnits, FieldError> {
        let refused = |detail: String| FieldError::new("amount", detail);
        if let Some(flaw) = text::flaw(&self.amount, LONGEST_AMOUNT, Lines::One) {
            return Err(refused(flaw));
        }
        let decimals = option.map_or(ANY_DECIMALS, |option| option.decimals);
        let amount = BaseUnits::parse(&self.amount, decimals).map_err(|error| refused(error.to_string()))?;
        match option.filter(|option| amount < option.minimum) {
            Some(option) => Err(refused(format!("is less than {}", option.minimum.to_decimal(decimals)))),
            None if amount.is_zero() => Err(refused("is zero".to_owned())),
            None => Ok(amount),
        }
    }

    fn expires_in(&self) -> Result<Duration, FieldError> {
        let seconds = u64::try_from(self.expires_in_seconds).unwrap_or_default();
        if (1..=LONGEST_EXPIRY_SECONDS).contains(&seconds) {
            return Ok(Duration::from_secs(seconds));
        }
        Err(FieldError::new("expires_in_seconds", format!("is not between 1 and {LONGEST_EXPIRY_SECONDS}")))
    }
}

fn external_id_flaw(external_id: &str) -> Option<String> {
    if external_id.is_empty() {
        return Some("is empty: leave it out, or send null".to_owned());
    }
    text::flaw(external_id, LONGEST_EXTERNAL_ID, Lines::One)
}

/// Only a whole address of the web: buyers are sent there.
fn url_flaw(url: &str) -> Option<String> {
    if url.is_empty() {
        return None;
    }
    (!is_of_the_web(url))
        .then(|| "is no absolute http or https URL, percent-encoded and without credentials".to_owned())
}

/// The same as the pattern of the field in the API's description.
fn is_of_the_web(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    is_authority(authority) && path.bytes().all(is_of_a_url)
}

/// Neither white space nor what a page or a shell would take for the end of the address.
fn is_of_a_url(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)
}

fn is_authority(authority: &str) -> bool {
    let end_of_host = authority.rfind(']').map(|end| end + 1).or_else(|| authority.find(':'));
    let (host, port) = authority.split_at(end_of_host.unwrap_or(authority.len()));
    is_host(host) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_host(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let (text, others) = literal.map_or((host, "._-"), |literal| (literal, ":."));
    let plain = |byte: u8| others.as_bytes().contains(&byte) || byte.is_ascii_digit();
    let letter = |byte: u8| if literal.is_some() { byte.is_ascii_hexdigit() } else { byte.is_ascii_alphabetic() };
    !text.is_empty() && text.bytes().all(|byte| plain(byte) || letter(byte))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn options() -> Vec<PaymentOption> {
        let option = |coin: &str, network: &str, decimals, available| PaymentOption {
            coin_id: coin.to_owned(),
            coin_name: coin.to_owned(),
            network_id: network.to_owned(),
            network_name: network.to_owned(),
            decimals,
            contract: None,
            confirmations: 3,
            minimum: 1000.into(),
            available,
        };
        vec![option("btc", "bitcoin", 8, true), option("usdt", "tron", 6, true), option("eth", "ethereum", 18, false)]
    }

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
