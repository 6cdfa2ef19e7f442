//! What every endpoint can use.

use std::sync::Arc;

use standardwebhooks::Webhook;
use store::{LinkKey, postgres::Database};
use temporal::Codec;

use crate::{
    auth::KeyCache, catalogue::Catalogue, engine::Engine, fridge_sales::FridgeSales, gifts::Gifts,
    idempotency::FingerprintKey, invoices::InvoiceSettings, purchase_codes::PurchaseCodes, rate_limit::RateLimits,
    watch::Watch,
};

/// Shared by all requests.
pub(crate) type Api = Arc<Services>;

/// What every endpoint can use.
pub(crate) struct Services {
    pub(crate) database: Database,
    pub(crate) keys: KeyCache,
    pub(crate) engine: Engine,
    pub(crate) catalogue: Catalogue,
    pub(crate) codec: Codec,
    pub(crate) fingerprint_key: FingerprintKey,
    /// For the tokens of buyers.
    pub(crate) view_key: LinkKey,
    pub(crate) watcher_secrets: Vec<Webhook>,
    pub(crate) invoices: InvoiceSettings,
    /// Who waits for a change.
    pub(crate) watch: Watch,
    /// Nothing where purchase codes are not served.
    pub(crate) purchase_codes: Option<PurchaseCodes>,
    /// Nothing where fridge sales are not served.
    pub(crate) fridge_sales: Option<FridgeSales>,
    /// Nothing where gifts are not served.
    pub(crate) gifts: Option<Gifts>,
    pub(crate) rate_limits: RateLimits,
}

#[cfg(test)]
impl Services {
    /// An API whose database and Temporal are away.
    pub(crate) fn without_servers() -> Self {
        use std::time::Duration;

        use clap::Parser;

        use crate::rate_limit::RateSettings;

        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            invoices: InvoiceSettings,
        }

        let database = Database::new(&"postgres://perdura@127.0.0.1:1/none".to_owned().into(), 1, "test").unwrap();
        let keys = temporal::KeyRing::parse("k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        Self {
            catalogue: Catalogue::new(database.clone(), Duration::ZERO),
            keys: KeyCache::new(database.clone()),
            database,
            engine: Engine::new(Duration::from_secs(1), 1),
            codec: Codec::new(keys),
            fingerprint_key: FingerprintKey::new([0; 32]),
            view_key: LinkKey::new([0; 32]),
            watcher_secrets: Vec::new(),
            invoices: Defaults::parse_from(["test"]).invoices,
            watch: Watch::new(),
            purchase_codes: None,
            fridge_sales: None,
            gifts: None,
            rate_limits: RateLimits::new(&RateSettings::usual()),
        }
    }
}
