//! The addresses that were made, by the key they were asked for with, and those that somebody wants to be given out next.

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

/// What the service gives out instead of a new address, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedAddress {
    pub(crate) user_id: Uuid,
    pub(crate) network_id: Network,
    pub(crate) address: String,
}

#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    by_key: BTreeMap<String, MadeAddress>,
    /// In the order in which they are given out.
    pub(crate) planned: Vec<PlannedAddress>,
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
        let address = self.take_planned(user_id, network).or_else(|| derive(network, user_id, key));
        let address = address.ok_or_else(|| Problem::unprocessable("no address can be made"))?;
        let made = MadeAddress { idempotency_key: key.to_owned(), user_id, network_id: network, address };
        self.put(made.clone());
        Ok(made)
    }

    fn take_planned(&mut self, user_id: Uuid, network: Network) -> Option<String> {
        let is_for = |planned: &PlannedAddress| planned.user_id == user_id && planned.network_id == network;
        let place = self.planned.iter().position(is_for)?;
        Some(self.planned.remove(place).address)
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

    #[test]
    fn a_planned_address_is_given_out_once_to_whom_it_is_for() {
        let (user, other, mut book) = (Uuid::from_u128(1), Uuid::from_u128(2), AddressBook::default());
        book.planned.push(PlannedAddress { user_id: user, network_id: Network::Tron, address: "T1".to_owned() });
        assert_ne!(book.make("of another", other, Network::Tron).unwrap().address, "T1");
        assert_ne!(book.make("elsewhere", user, Network::Bitcoin).unwrap().address, "T1");
        assert_eq!(book.make("first", user, Network::Tron).unwrap().address, "T1");
        assert_ne!(book.make("second", user, Network::Tron).unwrap().address, "T1");
        assert_eq!(book.find("first", user, Network::Tron).unwrap().unwrap().address, "T1");
    }
}
