//! How many requests a caller may send: each API key for itself, and whoever shows no good key by his address. Health is
//! not limited. Each process counts for itself.

mod client;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{Extensions, HeaderMap},
    middleware::Next,
    response::Response,
};
use clap::Args;
use governor::{
    DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::{
    auth::{self, KeyHash},
    problem::Problem,
    state::Api,
};
use client::{Network, Proxies, proxy};

/// How often what is no longer needed is dropped: no more is kept than what came in this time.
const SWEEP: Duration = Duration::from_secs(1);
/// A good key that was not used for this long is looked up on its address's account again.
const KNOWN: Duration = Duration::from_mins(10);

/// How much is let through.
#[derive(Debug, Clone, Args)]
pub(crate) struct RateSettings {
    /// Requests a second that one API key may send in the long run.
    #[arg(long = "key-rate", env = "PERDURA_KEY_RATE", default_value = "50")]
    key_rate: NonZeroU32,
    /// Requests that one API key may send at once.
    #[arg(long = "key-burst", env = "PERDURA_KEY_BURST", default_value = "100")]
    key_burst: NonZeroU32,
    /// Requests a second without a good API key that one address (of IPv6: one /64) may send in the long run.
    #[arg(long = "address-rate", env = "PERDURA_ADDRESS_RATE", default_value = "20")]
    address_rate: NonZeroU32,
    /// Requests without a good API key that one address may send at once. The first requests of a key count among them,
    /// so that it should be no less than the burst of a key.
    #[arg(long = "address-burst", env = "PERDURA_ADDRESS_BURST", default_value = "100")]
    address_burst: NonZeroU32,
    /// Submissions of one form a minute that one address (of IPv6: one /64) may send; as many may come at once.
    #[arg(long = "form-rate", env = "PERDURA_FORM_RATE", default_value = "10")]
    form_rate: NonZeroU32,
    /// Notifications of one sale a minute that whoever knows its address may post; as many may come at once.
    #[arg(long = "notification-rate", env = "PERDURA_NOTIFICATION_RATE", default_value = "60")]
    notification_rate: NonZeroU32,
    /// Addresses and networks, separated by commas, of the proxies whose X-Forwarded-For is believed.
    #[arg(long = "trusted-proxies", env = "PERDURA_TRUSTED_PROXIES", value_delimiter = ',', value_parser = proxy)]
    trusted_proxies: Vec<ipnet::IpNet>,
}

/// What everybody has left.
pub(crate) struct RateLimits {
    keys: DefaultKeyedRateLimiter<KeyHash>,
    addresses: DefaultKeyedRateLimiter<Network>,
    forms: DefaultKeyedRateLimiter<(Uuid, Network)>,
    sales: DefaultKeyedRateLimiter<Uuid>,
    /// Keys that were found to be good, and when they were last used.
    good: Mutex<HashMap<KeyHash, Instant>>,
    proxies: Proxies,
}

impl RateLimits {
    pub(crate) fn new(settings: &RateSettings) -> Self {
        let quota = |rate, burst| Quota::per_second(rate).allow_burst(burst);
        Self {
            keys: RateLimiter::keyed(quota(settings.key_rate, settings.key_burst)),
            addresses: RateLimiter::keyed(quota(settings.address_rate, settings.address_burst)),
            forms: RateLimiter::keyed(Quota::per_minute(settings.form_rate)),
            sales: RateLimiter::keyed(Quota::per_minute(settings.notification_rate)),
            good: Mutex::default(),
            proxies: Proxies::new(settings.trusted_proxies.clone()),
        }
    }

    /// The key is in the database: its requests have an account of their own from now on.
    pub(crate) fn remember(&self, key: KeyHash) {
        self.good().insert(key, Instant::now());
    }

    /// The key is not, or no longer, in the database.
    pub(crate) fn forget(&self, key: &KeyHash) {
        self.good().remove(key);
    }

    /// Drops, again and again, what makes no difference any more.
    pub(crate) async fn sweep(&self) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.drop_old(KNOWN);
        }
    }

    fn drop_old(&self, known: Duration) {
        self.keys.retain_recent();
        self.keys.shrink_to_fit();
        self.addresses.retain_recent();
        self.addresses.shrink_to_fit();
        self.forms.retain_recent();
        self.forms.shrink_to_fit();
        self.sales.retain_recent();
        self.sales.shrink_to_fit();
        self.good().retain(|_, used| used.elapsed() < known);
    }

    /// Takes one request from the caller's account.
    fn take(&self, key: Option<KeyHash>, client: Network) -> Result<(), Problem> {
        let taken = match key.filter(|key| self.good().contains_key(key)) {
            Some(key) => self.keys.check_key(&key),
            None => self.addresses.check_key(&client),
        };
        taken.map_err(|refused| too_many(&refused))
    }

    /// Takes one submission of a form from its sender's account, beside the one that every request takes.
    pub(crate) fn take_turn_at(
        &self,
        form_id: Uuid,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        let client = self.proxies.client(extensions, headers);
        self.forms.check_key(&(form_id, client)).map_err(|refused| too_many(&refused))
    }

    /// Takes one notification from the account of its sale. All sales are notified from a few addresses, and after an
    /// outage at once: these have no account of their own.
    pub(crate) fn take_notification(&self, sale_ref: Uuid) -> Result<(), Problem> {
        self.sales.check_key(&sale_ref).map_err(|refused| too_many(&refused))
    }

    /// Takes one request without a key from its sender's account.
    pub(crate) fn take_from_address(&self, extensions: &Extensions, headers: &HeaderMap) -> Result<(), Problem> {
        self.take(None, self.proxies.client(extensions, headers))
    }

    fn good(&self) -> MutexGuard<'_, HashMap<KeyHash, Instant>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many(refused: &NotUntil<<DefaultClock as Clock>::Instant>) -> Problem {
    Problem::rate_limited(refused.wait_time_from(DefaultClock::default().now()))
}

/// Lets the request through if its caller has not sent too many. Nothing of its body is read before that.
pub(crate) async fn limit(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    let client = api.rate_limits.proxies.client(request.extensions(), request.headers());
    api.rate_limits.take(auth::key_hash(request.headers()).ok(), client)?;
    Ok(next.run(request).await)
}

#[cfg(test)]
impl RateSettings {
    /// The defaults.
    pub(crate) fn usual() -> Self {
        use clap::Parser;

        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            settings: RateSettings,
        }
        Defaults::parse_from(["test"]).settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: KeyHash = [1; 32];

    fn client(last: u8) -> Network {
        Network::of(std::net::IpAddr::from([192, 0, 2, last]))
    }

    /// How many of `requests` at once are let through.
    fn let_through(limits: &RateLimits, key: Option<KeyHash>, client: Network, requests: usize) -> usize {
        (0..requests).filter(|_| limits.take(key, client).is_ok()).count()
    }

    fn limits() -> RateLimits {
        // So slow that nothing comes back while a test runs.
        let one = NonZeroU32::MIN;
        RateLimits::new(&RateSettings { key_rate: one, address_rate: one, ..RateSettings::usual() })
    }

    #[test]
    fn a_good_key_has_an_account_of_its_own() {
        let limits = limits();
        limits.remember(KEY);
        assert_eq!(let_through(&limits, None, client(1), 150), 100);
        assert_eq!(let_through(&limits, Some([2; 32]), client(1), 5), 0, "a key that nobody knows is no way out");
        assert_eq!(let_through(&limits, Some(KEY), client(1), 150), 100);
        assert_eq!(let_through(&limits, None, client(2), 5), 5, "another address is not concerned");
        limits.forget(&KEY);
        assert_eq!(let_through(&limits, Some(KEY), client(2), 150), 95);
    }

    #[test]
    fn each_form_takes_a_few_submissions_from_one_address() {
        // So slow that nothing comes back while a test runs.
        let limits = RateLimits::new(&RateSettings::usual());
        let let_through = |form: u128, requests: usize| {
            let taken =
                |_: &usize| limits.take_turn_at(Uuid::from_u128(form), &Extensions::new(), &HeaderMap::new()).is_ok();
            (0..requests).filter(taken).count()
        };
        assert_eq!(let_through(1, 15), 10);
        assert_eq!(let_through(2, 5), 5, "another form is not concerned");
    }

    #[test]
    fn what_is_over_is_dropped() {
        let fast = NonZeroU32::new(1_000_000).unwrap();
        let limits = RateLimits::new(&RateSettings { address_rate: fast, key_rate: fast, ..RateSettings::usual() });
        limits.remember(KEY);
        for last in 0..=255 {
            limits.take(None, client(last)).unwrap();
            limits.take(Some(KEY), client(last)).unwrap();
        }
        // After two millionths of a second each account is full again.
        while !limits.addresses.is_empty() || !limits.keys.is_empty() {
            limits.drop_old(KNOWN);
        }
        assert_eq!(limits.good().len(), 1);
        limits.drop_old(Duration::ZERO);
        assert!(limits.good().is_empty());
    }
}
