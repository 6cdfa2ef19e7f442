//! Base units between Rust and `numeric(78, 0)`.

use bigdecimal::BigDecimal;
use num_bigint::{BigInt, BigUint};
use workflows::domain::BaseUnits;

use super::StoreError;

pub(crate) fn to_numeric(amount: &BaseUnits) -> BigDecimal {
    BigDecimal::from(BigInt::from(BigUint::from(amount.clone())))
}

pub(crate) fn from_numeric(numeric: &BigDecimal) -> Result<BaseUnits, StoreError> {
    let (units, _) = numeric.with_scale(0).into_bigint_and_exponent();
    let units = units.to_biguint().ok_or_else(|| StoreError::corrupt("reading an amount", "it is negative"))?;
    Ok(units.into())
}
