use anyhow::Result;
use serde::Serialize;

use crate::binaries::create_key;
use crate::blueprint::Blueprint;
use crate::secrets::{MERCHANT_ID, MERCHANT_KEY, OPERATOR_KEY, WATCHER_KEY, WATCHER_SECRETS};
use crate::{postgres, temporal};

/// Where everything is and the keys to it: the content of `.perdura/demo.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Demo {
    /// Base URL of the API.
    pub api_url: String,
    /// Base URL of the sandbox.
    pub sandbox_url: String,
    /// The Temporal UI; isolated stacks run without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal_ui_url: Option<String>,
    /// `host:port` of Temporal's gRPC.
    pub temporal_address: String,
    /// Postgres, with the password.
    pub database_url: String,
    /// What to authenticate with.
    pub keys: Keys,
    /// What the demonstration is about.
    pub demo: DemoData,
}

/// The API's bearer keys, and the secret that signs what watchers send.
#[derive(Clone, Debug, Serialize)]
pub struct Keys {
    /// Of the demo merchant: opens and reads invoices.
    pub merchant: String,
    /// Of the watcher `sandbox`: reports deposits.
    pub watcher: String,
    /// `whsec_…`, as in Standard Webhooks.
    pub watcher_signing_secret: String,
    /// Of the operator `local`.
    pub operator: String,
}

/// The things of the demonstration.
#[derive(Clone, Debug, Serialize)]
pub struct DemoData {
    /// The merchant whose key `keys.merchant` is: a UUID.
    pub merchant_id: String,
}

impl Demo {
    /// Creates the API keys that are not there yet, and gathers everything.
    pub(crate) fn seed(blueprint: &Blueprint) -> Result<Self> {
        let secrets = &blueprint.secrets;
        let merchant_id = secrets.read(MERCHANT_ID)?;
        let key = |name, principal: &str, scopes: &[&str]| {
            secrets.ensure(name, || create_key(blueprint, principal, scopes))?;
            secrets.read(name)
        };
        Ok(Self {
            api_url: blueprint.api_url(),
            sandbox_url: blueprint.sandbox_url(),
            temporal_ui_url: blueprint.settings.is_local().then(|| blueprint.ui_url()),
            temporal_address: temporal::address(blueprint),
            database_url: postgres::database_url(blueprint)?,
            keys: Keys {
                merchant: key(MERCHANT_KEY, &format!("merchant:{merchant_id}"), &["invoices:write", "invoices:read"])?,
                watcher: key(WATCHER_KEY, "watcher:sandbox", &["deposits:report"])?,
                watcher_signing_secret: secrets.read(WATCHER_SECRETS)?,
                operator: key(OPERATOR_KEY, "operator:local", &["operator"])?,
            },
            demo: DemoData { merchant_id },
        })
    }
}
