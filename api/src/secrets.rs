//! The secrets of the API, each out of its file.

use std::path::Path;

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use program::secrets::{key, read};
use secrecy::{ExposeSecret, SecretBox};
use standardwebhooks::Webhook;
use store::LinkKey;

use crate::idempotency::FingerprintKey;

const PREFIX: &str = "whsec_";
/// Bytes of a watcher's secret, as Standard Webhooks wants them.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key for fingerprints: a file with the base64 of 32 bytes.
pub(crate) fn fingerprint_key(path: &Path) -> anyhow::Result<FingerprintKey> {
    Ok(FingerprintKey::new(key(path, "PERDURA_FINGERPRINT_KEY_FILE")?))
}

/// The key for the tokens of buyers: a file with the base64 of 32 bytes.
pub(crate) fn view_key(path: &Path) -> anyhow::Result<LinkKey> {
    Ok(LinkKey::new(key(path, "PERDURA_VIEW_KEY_FILE")?))
}

/// The key for the tokens in the URLs that Vendron posts to: a file with the base64 of 32 bytes.
pub(crate) fn notification_key(path: &Path) -> anyhow::Result<LinkKey> {
    Ok(LinkKey::new(key(path, "PERDURA_NOTIFICATION_KEY_FILE")?))
}

/// What PINs are hashed with beside their salts: a file with the base64 of 32 bytes.
pub(crate) fn pin_pepper(path: &Path) -> anyhow::Result<SecretBox<[u8; 32]>> {
    Ok(SecretBox::new(Box::new(key(path, "PERDURA_PIN_PEPPER_FILE")?)))
}

/// The secrets of the watchers: a file with one `whsec_<base64>` a line. Two at once let a watcher change his.
pub(crate) fn watcher_secrets(path: &Path) -> anyhow::Result<Vec<Webhook>> {
    let text = read(path, "PERDURA_WATCHER_SECRETS_FILE")?;
    let lines = text.expose_secret().lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let secrets: Vec<_> = lines.map(|(index, line)| watcher_secret(index + 1, line)).collect::<Result<_, _>>()?;
    ensure!(!secrets.is_empty(), "{} (PERDURA_WATCHER_SECRETS_FILE) has no secret", path.display());
    Ok(secrets)
}

fn watcher_secret(number: usize, line: &str) -> anyhow::Result<Webhook> {
    let secret = line.strip_prefix(PREFIX).and_then(|secret| BASE64_STANDARD.decode(secret).ok());
    let secret = secret.filter(|secret| SECRET_BYTES.contains(&secret.len())).with_context(|| {
        format!("line {number} of PERDURA_WATCHER_SECRETS_FILE is not {PREFIX}<base64 of 24 to 64 bytes>")
    })?;
    Ok(Webhook::from_bytes(secret)?)
}
