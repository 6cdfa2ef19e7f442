//! Bitcoin: P2WPKH on the main network, bech32 (BIP-173).

use bech32::{hrp, segwit};

/// The address of a key hash; `None` never happens for 20 bytes.
pub(super) fn encode(key_hash: [u8; 20]) -> Option<String> {
    segwit::encode_v0(hrp::BC, &key_hash).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_vector_of_bip_173() {
        let key_hash = hex::decode("751e76e8199196d454941c45d1b3a323f1433bd6").unwrap();
        let address = encode(key_hash.try_into().unwrap()).unwrap();
        assert_eq!(address, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    }
}
