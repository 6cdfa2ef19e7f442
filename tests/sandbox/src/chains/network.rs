//! The networks, and what differs between them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::problem::Problem;

/// A chain that the sandbox plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Network {
    Bitcoin,
    Ethereum,
    Tron,
}

impl Network {
    pub(crate) const ALL: [Self; 3] = [Self::Bitcoin, Self::Ethereum, Self::Tron];

    /// The name on the wire.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoin",
            Self::Ethereum => "ethereum",
            Self::Tron => "tron",
        }
    }

    /// Reads the name on the wire; any other is a 422 that lists the known ones.
    pub(crate) fn parse(id: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|network| network.id() == id).ok_or_else(|| {
            let known = Self::ALL.map(Self::id).join(", ");
            Problem::unprocessable(format!("unknown network `{id}`, known are: {known}"))
        })
    }

    /// Confirmations (tip - height + 1) from which a transaction is reported as `final`.
    pub(crate) fn finality_depth(self) -> u64 {
        match self {
            Self::Bitcoin => 6,
            Self::Ethereum => 12,
            Self::Tron => 19,
        }
    }

    /// Height of the tip before anything was mined here.
    pub(crate) fn start_height(self) -> u64 {
        match self {
            Self::Bitcoin => 924_000,
            Self::Ethereum => 23_850_000,
            Self::Tron => 77_600_000,
        }
    }

    /// A fresh block hash in the network's own look; two blocks of one height never share it.
    pub(crate) fn new_block_hash(self, height: u64) -> String {
        let random = random_hex();
        match self {
            Self::Bitcoin => format!("{:0>20}{}", "", &random[20..]),
            Self::Ethereum => format!("0x{random}"),
            // A tron block id starts with the block's number.
            Self::Tron => format!("{height:016x}{}", &random[16..]),
        }
    }

    /// A fresh transaction id in the network's own look.
    pub(crate) fn new_transaction_id(self) -> String {
        let random = random_hex();
        if self == Self::Ethereum { format!("0x{random}") } else { random }
    }

    /// The form under which two spellings of one address are the same.
    pub(crate) fn address_key(self, address: &str) -> String {
        // Only the checksum of an ethereum address is in its letter case.
        if self == Self::Ethereum { address.to_ascii_lowercase() } else { address.to_owned() }
    }
}

fn random_hex() -> String {
    hex::encode(Sha256::digest(Uuid::new_v4().as_bytes()))
}
