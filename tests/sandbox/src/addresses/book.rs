//! The addresses that were made, by the key they were asked for with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::derive;
use crate::chains::Network;
use crate::problem::Problem;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MadeAddress {
    pub(crate) idempotency_key: String,
    pub(crate) user_id: Uuid,
    pub(crate) network_id: Network,
    pub(crate) address: String,
}

#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    by_key: BTreeMap<String, MadeAddress>,
}

impl AddressBook {
    /// What an earlier request with this key got; a 409 if that one asked for something else.
    pub(crate) fn find(&self, key: &str, user_id: Uuid, network: Network) -> Result<Option<&MadeAddress>, Problem> {
        let Some(made) = self.by_key.get(key) else {
            return Ok(None);
        };
        if made.user_id != user_id || made.network_id != network {
            return Err(Problem::conflict(format!("the Idempotency-Key `{key}` was used with another body")));
        }
        Ok(Some(made))
    }

    pub(crate) fn make(&mut self, key: &str, user_id: Uuid, network: Network) -> Result<MadeAddress, Problem> {
        let address = derive(network, user_id, key).ok_or_else(|| Problem::unprocessable("no address can be made"))?;
        let made = MadeAddress { idempotency_key: key.to_owned(), user_id, network_id: network, address };
        self.put(made.clone());
        Ok(made)
    }

    pub(crate) fn put(&mut self, made: MadeAddress) {
        self.by_key.insert(made.idempotency_key.clone(), made);
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &MadeAddress> {
        self.by_key.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_address_again_and_no_other_body() {
        let (user, mut book) = (Uuid::from_u128(1), AddressBook::default());
        assert!(book.find("k", user, Network::Tron).unwrap().is_none());
        let made = book.make("k", user, Network::Tron).unwrap();
        assert_eq!(book.find("k", user, Network::Tron).unwrap().unwrap().address, made.address);
        assert!(book.find("k", user, Network::Bitcoin).is_err());
        assert!(book.find("k", Uuid::from_u128(2), Network::Tron).is_err());
    }
}
