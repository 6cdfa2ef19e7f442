//! When two names mean the same address or the same asset.

/// Whether both are one address.
pub(super) fn is_same_address(one: &str, other: &str) -> bool {
    one == other || (folds(one) && one.eq_ignore_ascii_case(other))
}

/// Whether both are one asset, as coin and contract. A token is what its contract says, whatever name it goes by.
pub(super) fn is_same_asset(one: (&str, Option<&str>), other: (&str, Option<&str>)) -> bool {
    match (one.1, other.1) {
        (None, None) => one.0 == other.0,
        (one, other) => is_same_contract(one, other),
    }
}

/// Whether both are one contract, or there is none.
fn is_same_contract(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) if one.starts_with("0x") => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}

/// The one spelling of a transaction's id. It is a hash, and hexadecimal on every network that we know.
pub(super) fn transaction_key(tx_id: &str) -> String {
    let digits = tx_id.strip_prefix("0x").or_else(|| tx_id.strip_prefix("0X")).unwrap_or(tx_id);
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hexadecimal { tx_id.to_ascii_lowercase() } else { tx_id.to_owned() }
}

/// Hexadecimal and bech32 addresses are the same in upper and lower case, base58 ones are not.
fn folds(address: &str) -> bool {
    let start: String = address.chars().take(3).flat_map(char::to_lowercase).collect();
    start.starts_with("0x") || start == "bc1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_matters_where_it_means_something() {
        assert!(is_same_address("0xAb", "0xaB"));
        assert!(is_same_address("bc1qx", "BC1QX"));
        assert!(is_same_address("TAb", "TAb"));
        assert!(!is_same_address("TAb", "TaB"));
        assert!(!is_same_address("0xab", "0xac"));
    }

    #[test]
    fn a_token_is_its_contract_and_a_coin_is_its_name() {
        assert!(is_same_asset(("usdt", Some("0xAb")), ("tether", Some("0xab"))));
        assert!(!is_same_asset(("usdt", Some("TAb")), ("usdt", Some("Tab"))));
        assert!(!is_same_asset(("usdt", Some("TAb")), ("usdt", None)));
        assert!(is_same_asset(("btc", None), ("btc", None)));
        assert!(!is_same_asset(("btc", None), ("bch", None)));
    }

    #[test]
    fn a_transaction_has_one_id_however_it_is_spelt() {
        assert_eq!(transaction_key("0XAb"), "0xab");
        assert_eq!(transaction_key("AB12"), "ab12");
        assert_eq!(transaction_key("Zz"), "Zz");
    }
}
