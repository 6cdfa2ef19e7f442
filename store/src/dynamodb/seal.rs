use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use rand::{TryRngCore, rngs::OsRng};
use sha2::Sha256;
use uuid::Uuid;
use workflows::domain::Confidential;

use super::{CodeKey, TableError, code::Code};

const NONCE_BYTES: usize = 12;

/// Keeps codes: sealed, to be shown to whom they belong, and hashed, to be found. A table gives away neither.
pub(super) struct Seal {
    cipher: Aes256Gcm,
    key: CodeKey,
}

impl Seal {
    pub(super) fn new(key: CodeKey) -> Self {
        Self { cipher: Aes256Gcm::new(key.sealing().into()), key }
    }

    /// Base64 of nonce and ciphertext, which opens for this purchase only.
    pub(super) fn seal(&self, purchase_id: Uuid, code: &Code) -> Result<String, TableError> {
        let mut nonce = [0; NONCE_BYTES];
        OsRng.try_fill_bytes(&mut nonce).map_err(|_| TableError::NoRandomness)?;
        let payload = Payload { msg: code.expose().as_bytes(), aad: purchase_id.as_bytes() };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| TableError::corrupt("sealing a code", "the cipher refuses"))?;
        Ok(BASE64_STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The code that was sealed for this purchase.
    pub(super) fn open(&self, purchase_id: Uuid, sealed: &str) -> Result<Confidential, TableError> {
        self.decrypt(purchase_id, sealed).ok_or(TableError::Unopened { purchase_id })
    }

    fn decrypt(&self, purchase_id: Uuid, sealed: &str) -> Option<Confidential> {
        let bytes = BASE64_STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: purchase_id.as_bytes() };
        let code = self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()?;
        String::from_utf8(code).ok().map(Confidential::new)
    }

    /// Under which the code is found, in hexadecimal.
    pub(super) fn hash(&self, code: &Code) -> Result<String, TableError> {
        let hmac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.key.finding());
        let mut hmac = hmac.map_err(|_| TableError::corrupt("hashing a code", "HMAC refuses its key"))?;
        hmac.update(code.expose().as_bytes());
        Ok(hex::encode(hmac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    fn seal(key: &str) -> Seal {
        Seal::new(CodeKey::from_base64(key).unwrap())
    }

    #[test]
    fn a_sealed_code_shows_nothing_and_opens_for_its_purchase_only() {
        let (seal, code, id) = (seal(KEY), Code::draw().unwrap(), Uuid::now_v7());
        let sealed = seal.seal(id, &code).unwrap();
        assert!(!sealed.contains(code.expose()));
        assert_ne!(sealed, seal.seal(id, &code).unwrap());
        assert_eq!(seal.open(id, &sealed).unwrap().expose(), code.expose());
        assert!(matches!(seal.open(Uuid::now_v7(), &sealed), Err(TableError::Unopened { .. })));
    }

    #[test]
    fn another_key_and_another_text_open_nothing() {
        let (code, id) = (Code::draw().unwrap(), Uuid::now_v7());
        let sealed = seal(KEY).seal(id, &code).unwrap();
        assert!(seal(OTHER_KEY).open(id, &sealed).is_err());
        let mut bytes = BASE64_STANDARD.decode(&sealed).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        for damaged in [BASE64_STANDARD.encode(bytes), String::new(), "no base64!".to_owned()] {
            assert!(seal(KEY).open(id, &damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn a_code_is_found_under_one_hash_however_it_is_typed() {
        let (seal, other) = (seal(KEY), seal(OTHER_KEY));
        let code = Code::draw().unwrap();
        let typed = Code::read(&code.expose().to_ascii_lowercase()).unwrap();
        let hash = seal.hash(&code).unwrap();
        assert_eq!(hash, seal.hash(&typed).unwrap());
        assert_ne!(hash, other.hash(&code).unwrap());
        assert_ne!(hash, seal.hash(&Code::draw().unwrap()).unwrap());
        assert_eq!(format!("{seal:?}"), "Seal");
        // Another value would make every stored code one that nobody finds.
        let known = seal.hash(&Code::read("000000000000000000011").unwrap()).unwrap();
        assert_eq!(known, "9882abb43869c6c8c8ecc0bdbf3b5688d05bcf4739d7337a2b2c4202eb6092b8");
    }
}
