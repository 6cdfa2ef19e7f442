use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use num_bigint::BigUint;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of a coin in its smallest unit: satoshi, wei, the millionth of a USDT.
///
/// The number of decimals belongs to the coin on its network and travels beside the amount.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseUnits(BigUint);

/// Why a decimal string is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not of the form `12` or `12.5`.
    #[error("must be a plain decimal number such as \"12.50\": digits with at most one point, no sign and no exponent")]
    NotDecimal,
    /// More digits after the point than the coin has.
    #[error("has more decimals than the {0} that this coin has on this network")]
    TooManyDecimals(u8),
    /// More digits than 78, the length of the largest 256-bit number.
    #[error("is too large")]
    TooLarge,
}

const MAX_DIGITS: usize = 78;

impl BaseUnits {
    /// Nothing.
    pub const fn zero() -> Self {
        Self(BigUint::ZERO)
    }

    /// Reads a plain decimal string such as `12.50` of a coin with `decimals` digits after the point.
    pub fn parse(text: &str, decimals: u8) -> Result<Self, AmountError> {
        let (whole, fraction) = split(text)?;
        let fraction = fraction.trim_end_matches('0');
        let missing =
            usize::from(decimals).checked_sub(fraction.len()).ok_or(AmountError::TooManyDecimals(decimals))?;
        let digits = format!("{whole}{fraction}{}", "0".repeat(missing));
        if digits.trim_start_matches('0').len() > MAX_DIGITS {
            return Err(AmountError::TooLarge);
        }
        digits.parse().map_err(|_| AmountError::NotDecimal)
    }

    /// The plain decimal string, without trailing zeros: 12500000 with 6 decimals is `12.5`.
    pub fn to_decimal(&self, decimals: u8) -> String {
        let decimals = usize::from(decimals);
        let digits = format!("{:0>width$}", self.0.to_string(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        }
    }

    /// `self - other`, or nothing when `other` is more.
    #[must_use]
    pub fn saturating_sub(&self, other: &Self) -> Self {
        if other >= self { Self::zero() } else { Self(&self.0 - &other.0) }
    }

    /// So many basis points of this, rounded down: 1000 of them are a tenth.
    #[must_use]
    pub fn basis_points(&self, points: u16) -> Self {
        Self(&self.0 * u32::from(points) / 10_000_u32)
    }

    /// Whether this is nothing.
    pub fn is_zero(&self) -> bool {
        *self == Self::zero()
    }
}

/// The digits before and after the point.
fn split(text: &str) -> Result<(&str, &str), AmountError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(AmountError::NotDecimal),
        Some(parts) => parts,
        None => (text, ""),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return Err(AmountError::NotDecimal);
    }
    if whole.len() > 2 * MAX_DIGITS || fraction.len() > 2 * MAX_DIGITS {
        return Err(AmountError::TooLarge);
    }
    Ok((whole, fraction))
}

impl From<BigUint> for BaseUnits {
    fn from(units: BigUint) -> Self {
        Self(units)
    }
}

impl From<BaseUnits> for BigUint {
    fn from(amount: BaseUnits) -> Self {
        amount.0
    }
}

impl From<u64> for BaseUnits {
    fn from(units: u64) -> Self {
        Self(units.into())
    }
}

impl FromStr for BaseUnits {
    type Err = num_bigint::ParseBigIntError;

    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        digits.parse().map(Self)
    }
}

impl fmt::Display for BaseUnits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Add for &BaseUnits {
    type Output = BaseUnits;

    fn add(self, other: Self) -> BaseUnits {
        BaseUnits(&self.0 + &other.0)
    }
}

impl<'a> Sum<&'a BaseUnits> for BaseUnits {
    fn sum<I: Iterator<Item = &'a BaseUnits>>(amounts: I) -> Self {
        Self(amounts.map(|amount| &amount.0).sum())
    }
}

impl Serialize for BaseUnits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BaseUnits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_strings_become_base_units() {
        assert_eq!(BaseUnits::parse("12.50", 6), Ok(12_500_000.into()));
        assert_eq!(BaseUnits::parse("0.00000001", 8), Ok(1.into()));
        assert_eq!(BaseUnits::parse("1.500", 1), Ok(15.into()));
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "NaN", "0x1", "１", "1.2.3"] {
            assert_eq!(BaseUnits::parse(text, 6), Err(AmountError::NotDecimal), "{text:?}");
        }
        assert_eq!(BaseUnits::parse("0.0000001", 6), Err(AmountError::TooManyDecimals(6)));
        assert_eq!(BaseUnits::parse(&"9".repeat(79), 0), Err(AmountError::TooLarge));
        assert_eq!(BaseUnits::parse(&"9".repeat(200), 0), Err(AmountError::TooLarge));
        assert!(BaseUnits::parse(&"9".repeat(78), 0).is_ok());
    }

    #[test]
    fn basis_points_are_rounded_down() {
        for (units, points, part) in
            [(12_500_u64, 100, 125_u64), (99, 100, 0), (199, 50, 0), (200, 50, 1), (7, 10_000, 7), (7, 0, 0)]
        {
            assert_eq!(BaseUnits::from(units).basis_points(points), part.into(), "{points} of {units}");
        }
        let most: BaseUnits = "9".repeat(78).parse().unwrap();
        assert_eq!(most.basis_points(1000).to_string(), "9".repeat(77));
    }

    proptest! {
        #[test]
        fn a_decimal_string_survives_the_round_trip(units in any::<u128>(), decimals in 0_u8..=18) {
            let amount: BaseUnits = units.to_string().parse().unwrap();
            let text = amount.to_decimal(decimals);
            prop_assert!(!text.contains('.') || !text.ends_with('0'));
            prop_assert_eq!(BaseUnits::parse(&text, decimals), Ok(amount));
        }

        #[test]
        fn subtraction_never_wraps(a in any::<u64>(), b in any::<u64>()) {
            let difference = BaseUnits::from(a).saturating_sub(&b.into());
            prop_assert_eq!(difference, a.saturating_sub(b).into());
        }
    }
}
