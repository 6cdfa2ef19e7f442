//! Amounts of money in bodies.

use workflows::domain::{Currency, Money, MoneyError};

use crate::{
    problem::{FieldError, noted},
    text::{self, Lines},
};

const LONGEST_AMOUNT: usize = 80;
/// A currency with as many decimals as any has: of an amount in an unknown one, only what is none at all is refused.
const FINEST: &str = "CLF";

/// An amount that is more than nothing, in its currency, out of two fields with their names; or what is wrong with
/// them.
pub(crate) fn read(
    (amount_field, amount): (&str, &str),
    (currency_field, currency): (&str, &str),
    errors: &mut Vec<FieldError>,
) -> Option<Money> {
    let refused = |error: MoneyError| FieldError::new(currency_field, error.to_string());
    let currency = noted(Currency::parse(currency).map_err(refused), errors);
    let known = currency.is_some();
    let money = noted(parse(amount, currency).map_err(|flaw| FieldError::new(amount_field, flaw)), errors);
    money.filter(|_| known)
}

fn parse(amount: &str, currency: Option<Currency>) -> Result<Money, String> {
    if let Some(flaw) = text::flaw(amount, LONGEST_AMOUNT, Lines::One) {
        return Err(flaw);
    }
    let currency = currency.map_or_else(|| Currency::parse(FINEST), Ok);
    let money = currency.and_then(|currency| Money::parse(amount, currency)).map_err(|error| error.to_string())?;
    if money.minor == 0 { Err("is zero".to_owned()) } else { Ok(money) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(amount: &str, currency: &str) -> (Option<Money>, Vec<String>) {
        let mut errors = Vec::new();
        let money = read(("sum", amount), ("coin", currency), &mut errors);
        (money, errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn an_amount_is_read_in_its_currency() {
        assert_eq!(read_as("20.00", "EUR").0.unwrap().to_string(), "20.00 EUR");
        assert_eq!(read_as("1250", "CLP").0.unwrap().minor, 1250);
    }

    #[test]
    fn each_field_is_named_that_is_wrong() {
        for amount in ["", "0", "0.00", "-1", "1.234", "1e3", "1\n", "1000000000000000.00"] {
            assert_eq!(read_as(amount, "EUR"), (None, vec!["sum".to_owned()]), "{amount:?}");
        }
        assert_eq!(read_as("1.2345", "eur"), (None, vec!["coin".to_owned()]));
        assert_eq!(read_as("x", ""), (None, vec!["coin".to_owned(), "sum".to_owned()]));
    }
}
