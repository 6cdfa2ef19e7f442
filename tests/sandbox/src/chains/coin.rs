//! What can be paid on which network.

use super::Network;
use crate::problem::Problem;

/// Most digits of an amount in base units: one fewer than 2^256 has, so that every amount fits a token contract.
const MAX_DIGITS: usize = 77;
/// Decimals of a token that the catalogue does not know; the most that is usual.
const UNKNOWN_TOKEN_DECIMALS: usize = 18;

struct Coin {
    network: Network,
    id: &'static str,
    contract: Option<&'static str>,
    decimals: usize,
}

const COINS: [Coin; 5] = [
    Coin { network: Network::Bitcoin, id: "btc", contract: None, decimals: 8 },
    Coin { network: Network::Ethereum, id: "eth", contract: None, decimals: 18 },
    Coin { network: Network::Tron, id: "usdt", contract: Some("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"), decimals: 6 },
    Coin {
        network: Network::Ethereum,
        id: "usdt",
        contract: Some("0xdAC17F958D2ee523a2206206994597C13D831ec7"),
        decimals: 6,
    },
    Coin {
        network: Network::Ethereum,
        id: "usdc",
        contract: Some("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
        decimals: 6,
    },
];

/// The coin of one transaction: a native coin (no contract) or a token, real or fake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asset {
    pub(crate) coin_id: String,
    pub(crate) contract: Option<String>,
    decimals: usize,
}

impl Asset {
    /// The coin by its name; a `contract` makes it a token of that name, whoever issued it.
    pub(crate) fn find(network: Network, coin_id: &str, contract: Option<String>) -> Result<Self, Problem> {
        let coin = COINS.iter().find(|coin| coin.network == network && coin.id == coin_id);
        if contract.is_some() && network == Network::Bitcoin {
            return Err(Problem::unprocessable("bitcoin has no token contracts"));
        }
        if coin.is_none() && contract.is_none() {
            return Err(unknown_coin(network, coin_id));
        }
        Ok(Self {
            coin_id: coin_id.to_owned(),
            contract: contract.or_else(|| coin.and_then(|coin| coin.contract.map(str::to_owned))),
            decimals: coin.map_or(UNKNOWN_TOKEN_DECIMALS, |coin| coin.decimals),
        })
    }

    /// Accepts a plain decimal that the coin can represent exactly; zero is possible on a chain, a sign is not.
    pub(crate) fn check_amount(&self, amount: &str) -> Result<(), Problem> {
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_too_long = whole.len() + self.decimals > MAX_DIGITS || fraction.len() > MAX_DIGITS;
        if !digits(whole) || !digits(fraction) || is_too_long {
            return Err(Problem::unprocessable(format!("`{amount}` is not a plain decimal amount")));
        }
        if fraction.trim_end_matches('0').len() > self.decimals {
            let reason = format!("`{amount}` has more than the {} decimals of {}", self.decimals, self.coin_id);
            return Err(Problem::unprocessable(reason));
        }
        Ok(())
    }
}

fn unknown_coin(network: Network, coin_id: &str) -> Problem {
    let here = COINS.iter().filter(|coin| coin.network == network);
    let known: Vec<_> = here.map(|coin| coin.id).collect();
    let network = network.id();
    Problem::unprocessable(format!("unknown coin `{coin_id}` on {network}, known are: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_the_real_contract_and_a_contract_makes_a_fake() {
        let real = Asset::find(Network::Tron, "usdt", None).unwrap();
        assert_eq!(real.contract.as_deref(), Some("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"));
        let fake = Asset::find(Network::Tron, "usdt", Some("TFake".to_owned())).unwrap();
        assert_eq!(fake.contract.as_deref(), Some("TFake"));
        assert!(Asset::find(Network::Tron, "btc", None).is_err());
        assert!(Asset::find(Network::Bitcoin, "btc", Some("x".to_owned())).is_err());
    }

    #[test]
    fn amounts_are_plain_decimals_within_the_coins_decimals() {
        let usdt = Asset::find(Network::Tron, "usdt", None).unwrap();
        for good in ["0", "12.50", "0.000001", "1.0000000", "99999999999999999999"] {
            assert!(usdt.check_amount(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "0.0000001", "１", &"9".repeat(72)] {
            assert!(usdt.check_amount(bad).is_err(), "{bad}");
        }
    }
}
