//! What makes a link open one thing and nothing else: a token that nobody can make without the key.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What HMAC-SHA256 takes its key as.
const BLOCK: usize = 64;
const KEY: usize = 32;

/// A key for the tokens in links, one key for each kind of thing. It is not kept, only what HMAC makes of it.
pub struct LinkKey(Hmac<Sha256>);

impl LinkKey {
    /// A key of random bytes.
    pub fn new(key: [u8; KEY]) -> Self {
        // As HMAC fills up a short key.
        let mut block = [0_u8; BLOCK];
        block[..KEY].copy_from_slice(&key);
        Self(Hmac::new(&block.into()))
    }

    /// The token of a thing: always the same, 43 characters that need no escaping in a URL.
    pub fn token(&self, id: Uuid) -> String {
        let mut hmac = self.0.clone();
        hmac.update(id.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes())
    }

    /// Whether `token` is that of the thing. How long this takes tells nothing of the right one.
    pub fn admits(&self, id: Uuid, token: &str) -> bool {
        self.token(id).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use uuid::uuid;

    use super::*;

    const INVOICE: Uuid = uuid!("0190a0b0-0000-7000-8000-00000000000a");
    /// The HMAC as another program makes it.
    const TOKEN: &str = "SkfmDOqXP03FaGW-pt0IubTWK56EnNEZdtCCEp_ocC0";

    #[test]
    fn the_token_of_an_invoice_never_changes() {
        assert_eq!(LinkKey::new([7; KEY]).token(INVOICE), TOKEN);
    }

    #[test]
    fn a_token_opens_its_own_invoice_and_no_other() {
        let key = LinkKey::new([7; KEY]);
        assert!(key.admits(INVOICE, TOKEN));
        assert!(!key.admits(Uuid::nil(), TOKEN));
        assert!(!LinkKey::new([8; KEY]).admits(INVOICE, TOKEN));
        let (start, padded) = (&TOKEN[..42], format!("{TOKEN}="));
        for other in ["", start, &padded, &TOKEN.to_uppercase()] {
            assert!(!key.admits(INVOICE, other), "{other:?}");
        }
    }
}
