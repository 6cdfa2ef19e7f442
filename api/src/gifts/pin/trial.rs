use std::hint::black_box;

use secrecy::{ExposeSecret, SecretString};
use store::postgres::gifts::{ACCOUNTS_AT_MOST, Account, ResolvedNumber};
use workflows::domain::Confidential;

use super::PinHasher;

/// What one PIN is compared with.
///
/// A PIN that does not fit is compared with every hash of the device's supplier, whatever the number is: one of an
/// account, the supplier's own, an account's without a PIN, somebody else's or nobody's. The time tells nothing.
pub(in crate::gifts) struct Trial {
    /// Of the accounts that the number stands for.
    meant: Vec<Hashed>,
    /// Of the supplier's other accounts, to no effect.
    others: Vec<Hashed>,
}

struct Hashed {
    /// Number of the account.
    account: String,
    hash: SecretString,
}

impl Trial {
    /// `accounts`: all of the device's supplier. `number`: what the number is, if it is this supplier's. `nobodys`: a
    /// hash for a supplier that has none.
    pub(in crate::gifts) fn new(
        accounts: Vec<Account>,
        number: Option<&ResolvedNumber>,
        nobodys: &SecretString,
    ) -> Self {
        let is_meant = |hashed: &Hashed| {
            number.is_some_and(|number| number.account.as_ref().is_none_or(|account| *account == hashed.account))
        };
        let hashed = |account: Account| Some(Hashed { account: account.supplier_account, hash: account.pin_hash? });
        let (mut meant, mut others): (Vec<_>, Vec<_>) = accounts.into_iter().filter_map(hashed).partition(is_meant);
        meant.truncate(ACCOUNTS_AT_MOST);
        others.truncate(ACCOUNTS_AT_MOST - meant.len());
        if meant.is_empty() && others.is_empty() {
            others.push(Hashed { account: String::new(), hash: nobodys.clone() });
        }
        Self { meant, others }
    }

    /// How many comparisons it takes at most.
    pub(in crate::gifts) fn comparisons(&self) -> usize {
        self.meant.len() + self.others.len()
    }

    /// The account whose PIN it is. Takes a processor for as long as it lasts.
    pub(super) fn run(&self, hasher: &PinHasher, pin: &Confidential) -> Option<String> {
        let mut account = None;
        for hashed in &self.meant {
            if hashed.fits(hasher, pin) && account.is_none() {
                account = Some(hashed.account.clone());
            }
        }
        if account.is_none() {
            for hashed in &self.others {
                let _to_no_effect = black_box(hashed.fits(hasher, pin));
            }
        }
        account
    }
}

impl Hashed {
    /// A hash that cannot be read fits nothing.
    fn fits(&self, hasher: &PinHasher, pin: &Confidential) -> bool {
        hasher.fits(pin, self.hash.expose_secret()).unwrap_or_else(|error| {
            tracing::error!(%error, account = self.account, "api.gifts.pin_not_compared");
            false
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::gifts::pin) fn pin(text: &str) -> Confidential {
        Confidential::new(text.to_owned())
    }

    pub(in crate::gifts::pin) fn nobodys() -> SecretString {
        PinHasher::quick(1).hash(&pin("no PIN")).unwrap().into()
    }

    /// Accounts by their numbers, with their PINs.
    pub(in crate::gifts::pin) fn accounts(pins: &[(&str, Option<&str>)]) -> Vec<Account> {
        let hash = |text: &&str| SecretString::from(PinHasher::quick(1).hash(&pin(text)).unwrap());
        let account = |(number, pin): &(&str, Option<&str>)| Account {
            supplier_code: "S-1".to_owned(),
            supplier_account: (*number).to_owned(),
            pin_hash: pin.as_ref().map(hash),
        };
        pins.iter().map(account).collect()
    }

    pub(in crate::gifts::pin) fn number(account: Option<&str>) -> ResolvedNumber {
        ResolvedNumber {
            supplier_code: "S-1".to_owned(),
            account: account.map(str::to_owned),
            guard_subject: String::new(),
        }
    }

    /// What comes of a PIN at a supplier with three accounts, one of them without, and how many comparisons it may
    /// take.
    fn tried(number: Option<&ResolvedNumber>, text: &str) -> (Option<String>, usize) {
        let accounts = accounts(&[("101", Some("1111")), ("102", Some("2222")), ("103", None)]);
        let trial = Trial::new(accounts, number, &nobodys());
        (trial.run(&PinHasher::quick(1), &pin(text)), trial.comparisons())
    }

    #[test]
    fn a_number_of_an_account_takes_the_pin_of_that_account() {
        assert_eq!(tried(Some(&number(Some("101"))), "1111").0.as_deref(), Some("101"));
        assert_eq!(tried(Some(&number(Some("101"))), "2222").0, None, "another account's PIN");
        assert_eq!(tried(Some(&number(Some("103"))), "1111").0, None, "an account without a PIN");
    }

    #[test]
    fn the_suppliers_own_number_stands_for_all_accounts() {
        for (text, account) in [("1111", Some("101")), ("2222", Some("102")), ("3333", None)] {
            assert_eq!(tried(Some(&number(None)), text).0.as_deref(), account);
        }
    }

    #[test]
    fn whatever_is_wrong_takes_as_many_comparisons() {
        for number in [Some(number(Some("101"))), Some(number(Some("103"))), Some(number(None)), None] {
            assert_eq!(tried(number.as_ref(), "1111").1, 2);
        }
        assert_eq!(tried(None, "1111").0, None, "a number that is not this supplier's");
        let without = Trial::new(accounts(&[("103", None)]), Some(&number(None)), &nobodys());
        assert_eq!(without.comparisons(), 1);
        assert_eq!(without.run(&PinHasher::quick(1), &pin("no PIN")), None, "nobody's PIN is nobody's");
    }

    #[test]
    fn there_is_a_limit_and_the_account_that_is_meant_is_within_it() {
        let numbers: Vec<_> = (0..20).map(|index| index.to_string()).collect();
        let hash = nobodys();
        let all = || {
            let account = |number: &String| Account {
                supplier_code: "S-1".to_owned(),
                supplier_account: number.clone(),
                pin_hash: Some(hash.clone()),
            };
            numbers.iter().map(account).collect::<Vec<_>>()
        };
        for number in [Some(number(Some("19"))), Some(number(None)), None] {
            assert_eq!(Trial::new(all(), number.as_ref(), &hash).comparisons(), ACCOUNTS_AT_MOST);
        }
        let trial = Trial::new(all(), Some(&number(Some("19"))), &hash);
        assert_eq!(trial.run(&PinHasher::quick(1), &pin("no PIN")).as_deref(), Some("19"));
    }

    #[test]
    fn a_hash_that_cannot_be_read_fits_nothing() {
        let broken = Account {
            supplier_code: "S-1".to_owned(),
            supplier_account: "101".to_owned(),
            pin_hash: Some("1111".to_owned().into()),
        };
        let trial = Trial::new(vec![broken], Some(&number(None)), &nobodys());
        assert_eq!(trial.run(&PinHasher::quick(1), &pin("1111")), None);
    }
}
