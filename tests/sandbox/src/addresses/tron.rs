//! Tron: base58check of 0x41 and the account.

/// Version byte of the main network; it makes every address begin with `T`.
const MAIN_NETWORK: u8 = 0x41;

pub(super) fn encode(account: [u8; 20]) -> String {
    bs58::encode(account).with_check_version(MAIN_NETWORK).into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_address_of_a_known_contract() {
        let account = hex::decode("a614f803b6fd780986a42c78ec9c7f77e6ded13c").unwrap();
        assert_eq!(encode(account.try_into().unwrap()), "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t");
    }
}
