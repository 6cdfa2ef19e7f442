use std::sync::Arc;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload as Sealing},
};
use futures::{FutureExt, future::BoxFuture};
use hkdf::Hkdf;
use prost::Message;
use rand::{TryRngCore, rngs::OsRng};
use sha2::Sha256;
use temporalio_common::{
    data_converters::{
        DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConversionError, PayloadConverter,
        SerializationContextData,
    },
    protos::temporal::api::common::v1::Payload,
};

use crate::keys::KeyRing;

const ENCODING: &str = "encoding";
const ENCRYPTED: &[u8] = b"binary/encrypted";
const KEY_ID: &str = "encryption-key-id";
const CONTEXT: &[u8] = b"perdura payload v1";
const SALT_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// Encrypts payloads with AES-256-GCM under a key of their own, derived by HKDF from the ring's key and a random salt.
#[derive(Debug, Clone)]
pub struct Codec {
    keys: Arc<KeyRing>,
}

/// Why a payload cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The ring has no such key.
    #[error("the payload was sealed with a key that is not in the ring")]
    UnknownKey,
    /// The bytes are not what was sealed.
    #[error("the payload is damaged, or was sealed with another key of the same name")]
    Damaged,
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    NoRandomness,
}

impl Codec {
    /// A codec with these keys.
    pub fn new(keys: KeyRing) -> Self {
        Self { keys: Arc::new(keys) }
    }

    /// Encrypts a payload, metadata and all.
    pub fn seal(&self, payload: &Payload) -> Result<Payload, CodecError> {
        let (id, key) = self.keys.sealing();
        let mut salt = [0; SALT_BYTES];
        OsRng.try_fill_bytes(&mut salt).map_err(|_| CodecError::NoRandomness)?;
        let (cipher, nonce) = derive(key, &salt)?;
        let clear = payload.encode_to_vec();
        let sealing = Sealing { msg: &clear, aad: id.as_bytes() };
        let sealed = cipher.encrypt(&Nonce::from(nonce), sealing).map_err(|_| CodecError::Damaged)?;
        Ok(Payload {
            metadata: [(ENCODING.to_owned(), ENCRYPTED.to_vec()), (KEY_ID.to_owned(), id.as_bytes().to_vec())].into(),
            data: [salt.as_slice(), &sealed].concat(),
            ..Payload::default()
        })
    }

    /// Decrypts a payload; one that was never sealed stays as it is.
    pub fn open(&self, payload: Payload) -> Result<Payload, CodecError> {
        if payload.metadata.get(ENCODING).is_none_or(|encoding| encoding != ENCRYPTED) {
            return Ok(payload);
        }
        let id = payload.metadata.get(KEY_ID).ok_or(CodecError::UnknownKey)?;
        let key = self.keys.find(id).ok_or(CodecError::UnknownKey)?;
        let (salt, sealed) = payload.data.split_first_chunk::<SALT_BYTES>().ok_or(CodecError::Damaged)?;
        let (cipher, nonce) = derive(key, salt)?;
        let sealing = Sealing { msg: sealed, aad: id };
        let clear = cipher.decrypt(&Nonce::from(nonce), sealing).map_err(|_| CodecError::Damaged)?;
        Payload::decode(clear.as_slice()).map_err(|_| CodecError::Damaged)
    }
}

/// The cipher and nonce of one payload.
fn derive(key: &[u8], salt: &[u8; SALT_BYTES]) -> Result<(Aes256Gcm, [u8; NONCE_BYTES]), CodecError> {
    let mut material = [0; KEY_BYTES + NONCE_BYTES];
    Hkdf::<Sha256>::new(Some(salt), key).expand(CONTEXT, &mut material).map_err(|_| CodecError::Damaged)?;
    let (key, nonce) = material.split_first_chunk::<KEY_BYTES>().ok_or(CodecError::Damaged)?;
    let nonce = nonce.try_into().map_err(|_| CodecError::Damaged)?;
    Ok((Aes256Gcm::new(key.into()), nonce))
}

impl PayloadCodec for Codec {
    fn encode(
        &self,
        _: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let sealed = payloads.iter().map(|payload| self.seal(payload)).collect();
        ready(sealed)
    }

    fn decode(
        &self,
        _: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let opened = payloads.into_iter().map(|payload| self.open(payload)).collect();
        ready(opened)
    }
}

fn ready(
    payloads: Result<Vec<Payload>, CodecError>,
) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
    let payloads = payloads.map_err(|error| PayloadConversionError::EncodingError(error.into()));
    std::future::ready(payloads).boxed()
}

/// JSON payloads, failure messages among them, all sealed by `codec`.
pub fn data_converter(codec: Codec) -> DataConverter {
    DataConverter::new(PayloadConverter::default(), DefaultFailureConverter::new(true), codec)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "2026-01:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "2026-02:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    fn codec(keys: &str) -> Codec {
        Codec::new(KeyRing::parse(keys).unwrap())
    }

    fn payload() -> Payload {
        Payload {
            metadata: [(ENCODING.to_owned(), b"json/plain".to_vec())].into(),
            data: br#""secret""#.to_vec(),
            ..Payload::default()
        }
    }

    #[test]
    fn what_is_sealed_opens_again_and_shows_nothing() {
        let codec = codec(OLD);
        let sealed = codec.seal(&payload()).unwrap();
        assert!(!sealed.data.windows(6).any(|window| window == b"secret"));
        assert_eq!(sealed.metadata[KEY_ID], b"2026-01");
        assert_eq!(codec.open(sealed).unwrap(), payload());
    }

    #[test]
    fn the_same_payload_never_looks_the_same() {
        let codec = codec(OLD);
        assert_ne!(codec.seal(&payload()).unwrap().data, codec.seal(&payload()).unwrap().data);
    }

    #[test]
    fn after_a_rotation_old_payloads_open_and_new_ones_use_the_new_key() {
        let sealed = codec(OLD).seal(&payload()).unwrap();
        let rotated = codec(&format!("{NEW}\n{OLD}\n"));
        assert_eq!(rotated.open(sealed).unwrap(), payload());
        assert_eq!(rotated.seal(&payload()).unwrap().metadata[KEY_ID], b"2026-02");
    }

    #[test]
    fn a_changed_payload_does_not_open() {
        let mut sealed = codec(OLD).seal(&payload()).unwrap();
        *sealed.data.last_mut().unwrap() ^= 1;
        assert!(matches!(codec(OLD).open(sealed), Err(CodecError::Damaged)));
    }

    #[test]
    fn a_missing_key_is_named_as_such() {
        let sealed = codec(OLD).seal(&payload()).unwrap();
        assert!(matches!(codec(NEW).open(sealed), Err(CodecError::UnknownKey)));
    }

    #[test]
    fn a_payload_in_clear_passes() {
        assert_eq!(codec(OLD).open(payload()).unwrap(), payload());
    }

    #[test]
    fn a_ring_without_a_usable_key_is_refused_and_shows_no_key() {
        assert!(matches!(KeyRing::parse("\n"), Err(crate::KeyRingError::Empty)));
        assert!(matches!(KeyRing::parse("a:short"), Err(crate::KeyRingError::Malformed { line: 1 })));
        assert!(matches!(KeyRing::parse(&format!("{OLD}\n{OLD}")), Err(crate::KeyRingError::Repeated { .. })));
        assert_eq!(format!("{:?}", codec(OLD)), r#"Codec { keys: ["2026-01"] }"#);
    }
}
