use std::fmt;

use serde::{Deserialize, Serialize};

/// A currency by its ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(String);

/// An amount of a currency, in its minor unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Cents, centavos, or whole units where a currency has no smaller ones.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// Why a text is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not of the form `12` or `12.50`.
    #[error(
        "must be a plain decimal number such as \"1250.00\": digits with at most one point, no sign and no exponent"
    )]
    NotDecimal,
    /// More digits after the point than the currency has.
    #[error("has more decimals than the {0} that this currency has")]
    TooManyDecimals(usize),
    /// More than can be counted.
    #[error("is too large")]
    TooLarge,
    /// Not three capital letters.
    #[error("must be a currency code of three capital letters, such as \"MXN\"")]
    NotACurrency,
}

/// Digits after the point of the currencies that do not have two, by ISO 4217.
const EXPONENTS: [(&str, usize); 26] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];
const USUAL_EXPONENT: usize = 2;
/// More is no loan, and leaves room for sums.
const MOST_DIGITS: usize = 17;

impl Currency {
    /// The currency with this code.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then(|| Self(code.to_owned())).ok_or(MoneyError::NotACurrency)
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Digits after the point.
    pub fn exponent(&self) -> usize {
        EXPONENTS.iter().find(|(code, _)| *code == self.0).map_or(USUAL_EXPONENT, |(_, exponent)| *exponent)
    }
}

impl Money {
    /// Reads a plain decimal text such as `1250.00` or `1250`.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent();
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole) || !fraction.is_none_or(plain) {
            return Err(MoneyError::NotDecimal);
        }
        let fraction = fraction.unwrap_or_default().trim_end_matches('0');
        let missing = exponent.checked_sub(fraction.len()).ok_or(MoneyError::TooManyDecimals(exponent))?;
        let digits = format!("{whole}{fraction}{}", "0".repeat(missing));
        let digits = digits.trim_start_matches('0');
        if digits.len() > MOST_DIGITS {
            return Err(MoneyError::TooLarge);
        }
        let minor = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| MoneyError::TooLarge)? };
        Ok(Self { minor, currency })
    }

    /// The plain decimal text with all digits of the currency: `1250.00`.
    pub fn to_decimal(&self) -> String {
        let exponent = self.currency.exponent();
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.to_decimal(), self.currency.code())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str, code: &str) -> Result<Money, MoneyError> {
        Money::parse(text, Currency::parse(code)?)
    }

    #[test]
    fn amounts_are_read_in_minor_units() {
        for (text, code, minor, written) in [
            ("1250.00", "MXN", 125_000, "1250.00"),
            ("1250", "MXN", 125_000, "1250.00"),
            ("0.5", "EUR", 50, "0.50"),
            ("0.050000", "EUR", 5, "0.05"),
            ("1250", "CLP", 1250, "1250"),
            ("1.234", "KWD", 1234, "1.234"),
            ("0", "MXN", 0, "0.00"),
        ] {
            let money = money(text, code).unwrap();
            assert_eq!((money.minor, money.to_decimal().as_str()), (minor, written), "{text} {code}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", "NaN", " 1", "１"] {
            assert_eq!(money(text, "MXN"), Err(MoneyError::NotDecimal), "{text}");
        }
        assert_eq!(money("1.234", "MXN"), Err(MoneyError::TooManyDecimals(2)));
        assert_eq!(money("1.5", "CLP"), Err(MoneyError::TooManyDecimals(0)));
        assert_eq!(money("1000000000000000.00", "MXN"), Err(MoneyError::TooLarge));
        for code in ["", "mxn", "MX", "MXNN", "M1N"] {
            assert_eq!(Currency::parse(code), Err(MoneyError::NotACurrency), "{code}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(minor in 0_i64..10_i64.pow(16), code in "(MXN|CLP|KWD|CLF)") {
            let money = Money { minor, currency: Currency::parse(&code).unwrap() };
            prop_assert_eq!(Money::parse(&money.to_decimal(), money.currency.clone()), Ok(money));
        }
    }
}
