//! The address service: makes deposit addresses, and tells what arrived on them.

mod bitcoin;
mod book;
pub(crate) mod create;
pub(crate) mod deposits;
mod ethereum;
mod tron;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::chains::Network;

pub(crate) use book::{AddressBook, MadeAddress, PlannedAddress};

/// A valid address that belongs to nobody: same arguments, same address.
fn derive(network: Network, user_id: Uuid, idempotency_key: &str) -> Option<String> {
    let mut hash = Sha256::new();
    for part in [network.id().as_bytes(), user_id.as_bytes(), idempotency_key.as_bytes()] {
        // The length keeps two different triples from being one text.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let payload = *digest.first_chunk::<20>()?;
    match network {
        Network::Bitcoin => bitcoin::encode(payload),
        Network::Ethereum => Some(ethereum::encode(payload)),
        Network::Tron => Some(tron::encode(payload)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_stable_and_differ_by_every_argument() {
        let user = Uuid::from_u128(7);
        for network in Network::ALL {
            let address = derive(network, user, "invoice/1").unwrap();
            assert_eq!(derive(network, user, "invoice/1").unwrap(), address);
            assert_ne!(derive(network, user, "invoice/2").unwrap(), address);
            assert_ne!(derive(network, Uuid::from_u128(8), "invoice/1").unwrap(), address);
        }
        let on_ethereum = derive(Network::Ethereum, user, "k").unwrap().to_lowercase();
        let on_tron = derive(Network::Tron, user, "k").unwrap();
        let bytes = bs58::decode(on_tron).with_check(None).into_vec().unwrap();
        assert_ne!(format!("0x{}", hex::encode(&bytes[1..])), on_ethereum);
    }
}
