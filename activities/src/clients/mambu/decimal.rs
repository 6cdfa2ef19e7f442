use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// More is no amount, and would only be a way to fill the memory.
const LARGEST_EXPONENT: i32 = 40;

/// An amount: a JSON number, kept as the digits that it is written with. No float comes near it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(String);

impl Decimal {
    /// The amount of this plain decimal text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Its plain decimal text, without an exponent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !is_number(&self.0) {
            return Err(ser::Error::custom("an amount is no number"));
        }
        let raw = RawValue::from_string(self.0.clone()).map_err(<S::Error as ser::Error>::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        plain(raw.get()).map(Self).ok_or_else(|| de::Error::custom("an amount is no number"))
    }
}

/// Of a JSON value: objects, texts and words begin otherwise.
fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// A JSON number without its exponent.
fn plain(json: &str) -> Option<String> {
    if !is_number(json) {
        return None;
    }
    let Some((mantissa, exponent)) = json.split_once(['e', 'E']) else {
        return Some(json.to_owned());
    };
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= LARGEST_EXPONENT)?;
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let shifted = shift(&format!("{whole}{fraction}"), i32::try_from(whole.len()).ok()? + exponent)?;
    Some(format!("{sign}{shifted}"))
}

/// These digits with the point after `point` of them.
fn shift(digits: &str, point: i32) -> Option<String> {
    let missing = |count: i32| usize::try_from(count).map(|count| "0".repeat(count)).unwrap_or_default();
    let length = i32::try_from(digits.len()).ok()?;
    let padded = format!("{}{digits}{}", missing(1 - point), missing(point - length));
    let (whole, fraction) = padded.split_at(usize::try_from(point.max(1)).ok()?);
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<Decimal>(json).ok().map(|decimal| decimal.as_str().to_owned())
    }

    #[test]
    fn every_digit_survives_both_ways() {
        // As floats each would be another amount.
        for text in ["123456789012345.67", "999999999999999.99", "12345678901234567", "0.1", "1250.00", "0", "-0.05"] {
            assert_eq!(read(text).as_deref(), Some(text));
            assert_eq!(serde_json::to_string(&Decimal::new(text.to_owned())).unwrap(), text);
        }
    }

    #[test]
    fn exponents_are_written_out_exactly() {
        for (json, text) in [
            ("1E+3", "1000"),
            ("1.25e3", "1250"),
            ("1.2345678901234567E14", "123456789012345.67"),
            ("1.0E7", "10000000"),
            ("125e-2", "1.25"),
            ("5e-2", "0.05"),
            ("-5E-3", "-0.005"),
            ("0.05e1", "0.5"),
            ("0E0", "0"),
        ] {
            assert_eq!(read(json).as_deref(), Some(text), "{json}");
        }
    }

    #[test]
    fn what_is_no_number_is_no_amount() {
        for json in ["\"1250.00\"", "null", "true", "{}", "[1]", "1e41", "1e-99999999999", "NaN", ""] {
            assert_eq!(read(json), None, "{json}");
        }
        assert!(serde_json::to_string(&Decimal::new("1,5".to_owned())).is_err());
        assert!(serde_json::to_string(&Decimal::new("\"5\"".to_owned())).is_err());
    }
}
