use std::{fmt, str::FromStr};

use uuid::Uuid;

const LONGEST_NAME: usize = 64;

/// Owner of an API key, written `kind:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Owns invoices; named by his id.
    Merchant(Uuid),
    /// Reports deposits.
    Watcher(String),
    /// Runs this service.
    Operator(String),
}

/// Every scope, with the kind of principal that it is for.
pub(crate) const SCOPES: [(&str, &str); 4] = [
    ("invoices:write", "merchant"),
    ("invoices:read", "merchant"),
    ("deposits:report", "watcher"),
    ("operator", "operator"),
];

/// Text that names no principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no principal: write merchant:<uuid>, watcher:<name> or operator:<name>, a name of a-z, 0-9, - and _"
)]
pub(crate) struct NoPrincipal(String);

impl Principal {
    /// The word before the colon.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Merchant(_) => "merchant",
            Self::Watcher(_) => "watcher",
            Self::Operator(_) => "operator",
        }
    }
}

impl FromStr for Principal {
    type Err = NoPrincipal;

    fn from_str(text: &str) -> Result<Self, NoPrincipal> {
        let refused = || NoPrincipal(text.to_owned());
        match text.split_once(':').ok_or_else(refused)? {
            ("merchant", id) => Uuid::parse_str(id).map(Self::Merchant).map_err(|_| refused()),
            ("watcher", name) if is_name(name) => Ok(Self::Watcher(name.to_owned())),
            ("operator", name) if is_name(name) => Ok(Self::Operator(name.to_owned())),
            _ => Err(refused()),
        }
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain)
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merchant(id) => write!(formatter, "merchant:{id}"),
            Self::Watcher(name) => write!(formatter, "watcher:{name}"),
            Self::Operator(name) => write!(formatter, "operator:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_has_one_spelling() {
        let merchant: Principal = "merchant:0190A0B0-0000-7000-8000-00000000000A".parse().unwrap();
        assert_eq!(merchant.to_string(), "merchant:0190a0b0-0000-7000-8000-00000000000a");
        assert_eq!("watcher:chain-1".parse::<Principal>().unwrap().to_string(), "watcher:chain-1");
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for text in ["", "merchant", "merchant:", "merchant:bob", "watcher:", "watcher:A", "watcher:a b", "root:a"] {
            assert!(text.parse::<Principal>().is_err(), "{text:?}");
        }
    }
}
