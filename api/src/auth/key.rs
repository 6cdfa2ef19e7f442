//! API keys: 256 random bits that are shown once and kept as a hash.

use anyhow::Context;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

const PREFIX: &str = "pk_";
const KEY_BYTES: usize = 32;

/// What is kept of a key.
pub(crate) type KeyHash = [u8; 32];

/// A new key.
pub(crate) fn generate() -> anyhow::Result<String> {
    let mut secret = [0; KEY_BYTES];
    OsRng.try_fill_bytes(&mut secret).context("the operating system gives no random bytes")?;
    Ok(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret)))
}

/// The hash of a key. It has 256 random bits, so that nobody can guess it from this.
pub(crate) fn hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

/// Whether `key` can be one of ours.
pub(crate) fn is_well_formed(key: &str) -> bool {
    let secret = key.strip_prefix(PREFIX).and_then(|secret| BASE64_URL_SAFE_NO_PAD.decode(secret).ok());
    secret.is_some_and(|secret| secret.len() == KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_well_formed_and_unlike_any_other() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.len(), PREFIX.len() + 43);
        assert!(is_well_formed(&one) && is_well_formed(&other));
        assert_ne!(one, other);
    }

    #[test]
    fn what_cannot_be_a_key_is_known_without_a_look() {
        for key in ["", "pk_", "pk_short", "sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(!is_well_formed(key), "{key:?}");
        }
    }
}
