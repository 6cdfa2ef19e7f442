use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::text::is_outside_id;

const LONGEST_NAME: usize = 64;

/// Owner of an API key, written `kind:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Owns invoices; named by his id.
    Merchant(Uuid),
    /// An application for customers: it asks for the purchase codes of a lender's clients, or opens fridges for buyers.
    Frontend(String),
    /// Scans purchase codes at a till.
    ProviderDevice {
        /// Whose till it is: the one that purchases name.
        provider: String,
        /// Which till.
        device: String,
    },
    /// Uses gifts in a shop.
    ShopDevice {
        /// Whose shop it is: the code that gifts may be bound to.
        supplier: String,
        /// Which device.
        device: String,
    },
    /// Reports deposits.
    Watcher(String),
    /// Runs this service.
    Operator(String),
}

/// Every scope, with the kinds of principals that it is for.
pub(crate) const SCOPES: [(&str, &[&str]); 11] = [
    ("invoices:write", &["merchant"]),
    ("invoices:read", &["merchant"]),
    ("forms:write", &["merchant"]),
    ("purchases:issue", &["frontend"]),
    ("purchases:use", &["provider"]),
    ("purchases:read", &["frontend", "provider"]),
    ("fridges:open", &["frontend"]),
    ("fridges:read", &["frontend"]),
    ("gifts:use", &["shop"]),
    ("deposits:report", &["watcher"]),
    ("operator", &["operator"]),
];

/// Text that names no principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no principal: write merchant:<uuid>, frontend:<name>, provider:<provider>/<device>, \
     shop:<supplier>/<device>, watcher:<name> or operator:<name>, a name of a-z, 0-9, - and _"
)]
pub(crate) struct NoPrincipal(String);

impl Principal {
    /// The word before the colon.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Merchant(_) => "merchant",
            Self::Frontend(_) => "frontend",
            Self::ProviderDevice { .. } => "provider",
            Self::ShopDevice { .. } => "shop",
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
            ("provider", names) => {
                let (provider, device) = owner_and_device(names).ok_or_else(refused)?;
                Ok(Self::ProviderDevice { provider, device })
            }
            ("shop", names) => {
                let (supplier, device) = owner_and_device(names).ok_or_else(refused)?;
                Ok(Self::ShopDevice { supplier, device })
            }
            ("watcher", name) if is_name(name) => Ok(Self::Watcher(name.to_owned())),
            ("operator", name) if is_name(name) => Ok(Self::Operator(name.to_owned())),
            _ => Err(refused()),
        }
    }
}

fn owner_and_device(names: &str) -> Option<(String, String)> {
    let (owner, device) = names.split_once('/')?;
    let both = is_outside_id(owner) && is_outside_id(device);
    both.then(|| (owner.to_owned(), device.to_owned()))
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
            Self::ShopDevice { supplier, device } => write!(formatter, "shop:{supplier}/{device}"),
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
        for text in ["frontend:app", "provider:P-1/till-7", "provider:a:b/C", "shop:S-1/till-1"] {
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
        for text in ["shop:", "shop:S-1", "shop:/a", "shop:S-1/", "shop:a/b/c", "shop:S 1/a"] {
            assert!(text.parse::<Principal>().is_err(), "{text:?}");
        }
    }
}
