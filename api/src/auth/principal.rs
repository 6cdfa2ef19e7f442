use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::text::is_outside_id;

const LONGEST_NAME: usize = 64;

/// Owner of an API key, written `kind:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Owns invoices; named by his id.
    Merchant(Uuid),
    /// A lender's application, which asks for the purchase codes of its clients.
    Frontend(String),
    /// Scans purchase codes at a till.
    ProviderDevice {
        /// Whose till it is: the one that purchases name.
        provider: String,
        /// Which till.
        device: String,
    },
    /// Reports deposits.
    Watcher(String),
    /// Runs this service.
    Operator(String),
}

/// Every scope, with the kinds of principals that it is for.
pub(crate) const SCOPES: [(&str, &[&str]); 7] = [
    ("invoices:write", &["merchant"]),
    ("invoices:read", &["merchant"]),
    ("purchases:issue", &["frontend"]),
    ("purchases:use", &["provider"]),
    ("purchases:read", &["frontend", "provider"]),
    ("deposits:report", &["watcher"]),
    ("operator", &["operator"]),
];

/// Text that names no principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no principal: write merchant:<uuid>, frontend:<name>, provider:<provider>/<device>, watcher:<name> or \
     operator:<name>, a name of a-z, 0-9, - and _"
)]
pub(crate) struct NoPrincipal(String);

impl Principal {
    /// The word before the colon.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Merchant(_) => "merchant",
            Self::Frontend(_) => "frontend",
            Self::ProviderDevice { .. } => "provider",
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
            ("frontend", name) if is_name(name) => Ok(Self::Frontend(name.to_owned())),
            ("provider", names) => provider_device(names).ok_or_else(refused),
            ("watcher", name) if is_name(name) => Ok(Self::Watcher(name.to_owned())),
            ("operator", name) if is_name(name) => Ok(Self::Operator(name.to_owned())),
            _ => Err(refused()),
        }
    }
}

fn provider_device(names: &str) -> Option<Principal> {
    let (provider, device) = names.split_once('/')?;
    let both = is_outside_id(provider) && is_outside_id(device);
    both.then(|| Principal::ProviderDevice { provider: provider.to_owned(), device: device.to_owned() })
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain)
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merchant(id) => write!(formatter, "merchant:{id}"),
            Self::Frontend(name) => write!(formatter, "frontend:{name}"),
            Self::ProviderDevice { provider, device } => write!(formatter, "provider:{provider}/{device}"),
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
        for text in ["frontend:app", "provider:P-1/till-7", "provider:a:b/C"] {
            assert_eq!(text.parse::<Principal>().unwrap().to_string(), text);
        }
        assert_eq!("watcher:chain-1".parse::<Principal>().unwrap().to_string(), "watcher:chain-1");
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for text in ["", "merchant", "merchant:", "merchant:bob", "watcher:", "watcher:A", "watcher:a b", "root:a"] {
            assert!(text.parse::<Principal>().is_err(), "{text:?}");
        }
        for text in ["frontend:", "frontend:A", "provider:P-1", "provider:/a", "provider:P-1/", "provider:a/b/c"] {
            assert!(text.parse::<Principal>().is_err(), "{text:?}");
        }
    }
}
