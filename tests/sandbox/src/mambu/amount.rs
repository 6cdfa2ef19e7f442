//! Amounts of money, exact. Over the wire they are JSON numbers, digit for digit, which no floating point number in
//! between could promise; in the saved state and in the control routes they are texts.

use std::fmt;
use std::ops::{Add, Sub};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Digits after the point that are kept.
const DECIMALS: usize = 10;
const MOST_WHOLE_DIGITS: usize = 20;
/// Digits after the point that are always written, except of nothing.
const WRITTEN_DECIMALS: usize = 2;
/// One cent in our units.
const CENT: i128 = 100_000_000;

/// An amount in units of 10^-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Amount(i128);

impl Amount {
    pub(crate) const ZERO: Self = Self(0);

    /// Reads a plain decimal: digits with at most one point, without a sign or an exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let kept = fraction.trim_end_matches('0');
        if !is_plain(whole) || !is_plain(fraction) || whole.len() > MOST_WHOLE_DIGITS || kept.len() > DECIMALS {
            return None;
        }
        format!("{whole}{kept:0<DECIMALS$}").parse().ok().map(Self)
    }

    /// Splits it into instalments: what each of them is, and what the last one is, which takes the rest.
    pub(crate) fn split(self, parts: u32) -> (Self, Self) {
        let parts = i128::from(parts.max(1));
        let each = self.0 / parts / CENT * CENT;
        (Self(each), Self(self.0 - each * (parts - 1)))
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;

    /// Nothing, where there is less than is taken.
    fn sub(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return formatter.write_str("0");
        }
        let digits = format!("{:0>width$}", self.0, width = DECIMALS + 1);
        let (whole, fraction) = digits.split_at(digits.len() - DECIMALS);
        let written = fraction.trim_end_matches('0').len().max(WRITTEN_DECIMALS);
        write!(formatter, "{whole}.{}", &fraction[..written])
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

impl TryFrom<String> for Amount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a plain decimal amount"))
    }
}

/// An amount that is a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Amount);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let amount = Amount::parse(raw.get());
        amount.map(Self).ok_or_else(|| D::Error::custom(format!("{} is not a plain decimal number", raw.get())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_written_without_losing_a_digit() {
        for (read, written) in [
            ("1250.00", "1250.00"),
            ("1250", "1250.00"),
            ("0", "0"),
            ("0.00", "0"),
            ("0.05", "0.05"),
            ("1.234", "1.234"),
            ("0.1000000001", "0.1000000001"),
            ("123456789012345.67", "123456789012345.67"),
            ("99999999999999999", "99999999999999999.00"),
        ] {
            let number: Number = serde_json::from_str(read).unwrap();
            assert_eq!(serde_json::to_string(&number).unwrap(), written);
        }
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for bad in ["1e3", "-1", "\"1\"", "null", "true", "0.00000000001", "123456789012345678901"] {
            assert!(serde_json::from_str::<Number>(bad).is_err(), "{bad}");
        }
        for bad in ["", ".", "1.", ".5", "+1", " 1", "1,5"] {
            assert!(Amount::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn instalments_add_up_to_the_whole() {
        let whole = Amount::parse("100.00").unwrap();
        let (each, last) = whole.split(3);
        assert_eq!((each.to_string(), last.to_string()), ("33.33".to_owned(), "33.34".to_owned()));
        assert_eq!(each + each + last, whole);
        assert_eq!(whole - (whole + each), Amount::ZERO);
    }

    #[test]
    fn the_saved_state_has_texts() {
        let amount = Amount::parse("99999999999999999.5").unwrap();
        let saved = serde_json::to_value(amount).unwrap();
        assert_eq!(saved, "99999999999999999.50");
        assert_eq!(serde_json::from_value::<Amount>(saved).unwrap(), amount);
    }
}
