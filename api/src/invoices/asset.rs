//! What an invoice is over: a coin on a network, and an amount of it.

use store::postgres::catalogue::PaymentOption;
use workflows::domain::BaseUnits;

use crate::{
    problem::FieldError,
    text::{self, Lines},
};

const LONGEST_AMOUNT: usize = 80;

/// The payment option that new invoices may ask for.
pub(crate) fn option<'a>(
    options: &'a [PaymentOption],
    coin: &str,
    network: &str,
) -> Result<&'a PaymentOption, FieldError> {
    let option = pair(options, coin, network)?;
    if option.available {
        return Ok(option);
    }
    Err(FieldError::new("coin_id", format!("{coin} on {network} is not available for new invoices")))
}

/// The payment option with this coin on this network, available or not.
pub(crate) fn pair<'a>(
    options: &'a [PaymentOption],
    coin: &str,
    network: &str,
) -> Result<&'a PaymentOption, FieldError> {
    know_network(options, network)?;
    know_coin(options, coin)?;
    let option = options.iter().find(|option| option.coin_id == coin && option.network_id == network);
    option.ok_or_else(|| FieldError::new("coin_id", format!("{coin} is not on {network}")))
}

/// Whether there is such a coin.
pub(crate) fn know_coin(options: &[PaymentOption], coin: &str) -> Result<(), FieldError> {
    let is_known = options.iter().any(|option| option.coin_id == coin);
    if is_known { Ok(()) } else { Err(FieldError::new("coin_id", "is no coin of GET /payment-options")) }
}

/// Whether there is such a network.
pub(crate) fn know_network(options: &[PaymentOption], network: &str) -> Result<(), FieldError> {
    let is_known = options.iter().any(|option| option.network_id == network);
    if is_known { Ok(()) } else { Err(FieldError::new("network_id", "is no network of GET /payment-options")) }
}

/// An amount of the option's coin. Of an unknown coin only what no coin would take is refused.
pub(crate) fn amount(text: &str, option: Option<&PaymentOption>) -> Result<BaseUnits, FieldError> {
    if let Some(flaw) = text::flaw(text, LONGEST_AMOUNT, Lines::One) {
        return Err(refused(flaw));
    }
    let decimals = decimals_of(text, option);
    let amount = BaseUnits::parse(text, decimals).map_err(|error| refused(error.to_string()))?;
    match option.filter(|option| amount < option.minimum) {
        Some(option) => Err(refused(format!("is less than {}", option.minimum.to_decimal(decimals)))),
        None if amount.is_zero() => Err(refused("is zero".to_owned())),
        None => Ok(amount),
    }
}

/// The same amount as answers have it: without zeros that say nothing.
pub(crate) fn plain_amount(text: &str, option: Option<&PaymentOption>) -> Result<String, FieldError> {
    Ok(amount(text, option)?.to_decimal(decimals_of(text, option)))
}

/// The coin's decimals; of an unknown coin as many as the text has.
fn decimals_of(text: &str, option: Option<&PaymentOption>) -> u8 {
    let written = || text.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
    option.map_or_else(|| u8::try_from(written()).unwrap_or(u8::MAX), |option| option.decimals)
}

fn refused(detail: String) -> FieldError {
    FieldError::new("amount", detail)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two that are available, and one that is not.
    pub(crate) fn options() -> Vec<PaymentOption> {
        let option = |coin: &str, network: &str, decimals, available| PaymentOption {
            coin_id: coin.to_owned(),
            coin_name: coin.to_owned(),
            network_id: network.to_owned(),
            network_name: network.to_owned(),
            decimals,
            contract: None,
            confirmations: 3,
            confirmation_tiers: Vec::new(),
            minimum: 1000.into(),
            available,
        };
        vec![option("btc", "bitcoin", 8, true), option("usdt", "tron", 6, true), option("eth", "ethereum", 18, false)]
    }

    #[test]
    fn of_an_unknown_coin_an_amount_may_have_any_decimals() {
        for (text, plain) in [("012.500", "12.5"), ("1", "1"), ("100", "100"), ("0.000000000000000000001", "")] {
            let plain = if plain.is_empty() { text } else { plain };
            assert_eq!(plain_amount(text, None).unwrap(), plain);
        }
        assert_eq!(plain_amount(&"9".repeat(78), None).unwrap(), "9".repeat(78));
        for text in ["", "0", "0.00", "-1", "1e3", "1.", ".5", " 1", "1,5", "１", &"9".repeat(79), &"1".repeat(81)] {
            assert_eq!(plain_amount(text, None).unwrap_err().field, "amount", "{text:?}");
        }
    }
}
