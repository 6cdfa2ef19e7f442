use std::fmt;

use reqwest::Url;
use secrecy::SecretString;
use store::LinkKey;
use uuid::Uuid;

use super::VendronError;

/// Where Vendron posts how a sale goes on: at a URL of the sale's own, which nobody else can make.
pub struct Notifications {
    base: Url,
    key: LinkKey,
}

impl Notifications {
    /// Below `base`, with the key of whoever takes them there.
    pub fn new(base: Url, key: LinkKey) -> Result<Self, VendronError> {
        let has_more = !base.username().is_empty()
            || base.password().is_some()
            || base.query().is_some()
            || base.fragment().is_some();
        if has_more || !base.has_host() || !matches!(base.scheme(), "http" | "https") {
            return Err(VendronError::BadNotificationUrl);
        }
        Ok(Self { base, key })
    }

    /// The URL of a sale: always the same, and a secret, as whoever has it can tell how the sale went on.
    pub fn url(&self, sale_ref: Uuid) -> SecretString {
        let base = self.base.as_str().trim_end_matches('/');
        format!("{base}/{sale_ref}/{}", self.key.token(sale_ref)).into()
    }

    /// What is secret in it.
    pub(super) fn token(&self, sale_ref: Uuid) -> SecretString {
        self.key.token(sale_ref).into()
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Notifications").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
