use std::{fmt, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretBox};

/// Length of a key: AES-256.
const KEY_BYTES: usize = 32;

/// The keys that payloads are sealed with. The first seals; the others only open what was sealed before a rotation, and
/// stay until the last history that needs them is gone.
pub struct KeyRing {
    keys: Vec<Key>,
}

struct Key {
    id: String,
    secret: SecretBox<[u8; KEY_BYTES]>,
}

/// Why there is no key ring. Without one no payload is ever sent.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The file is not there or not readable.
    #[error("cannot read the payload keys from {path}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line is not of the form `<key id>:<base64 of 32 bytes>`.
    #[error("line {line} of the payload keys is not <key id>:<base64 of 32 bytes>")]
    Malformed {
        /// Which line, from 1.
        line: usize,
    },
    /// Two lines name the same key.
    #[error("the payload keys name \"{id}\" twice")]
    Repeated {
        /// Which key.
        id: String,
    },
    /// There is no key in it.
    #[error("there is no payload key: every payload has to be encrypted")]
    Empty,
}

impl KeyRing {
    /// Reads a file of keys, one `<key id>:<base64 of 32 bytes>` a line.
    pub fn from_file(path: &Path) -> Result<Self, KeyRingError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| KeyRingError::Unreadable { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Reads keys, one `<key id>:<base64 of 32 bytes>` a line.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let key = Key::parse(line.trim()).ok_or(KeyRingError::Malformed { line: index + 1 })?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(KeyRingError::Repeated { id: key.id });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyRingError::Empty) } else { Ok(Self { keys }) }
    }

    /// The key that seals.
    pub(crate) fn sealing(&self) -> (&str, &[u8; KEY_BYTES]) {
        (&self.keys[0].id, self.keys[0].secret.expose_secret())
    }

    /// The key with this id.
    pub(crate) fn find(&self, id: &[u8]) -> Option<&[u8; KEY_BYTES]> {
        self.keys.iter().find(|key| key.id.as_bytes() == id).map(|key| key.secret.expose_secret())
    }
}

impl Key {
    fn parse(line: &str) -> Option<Self> {
        let (id, secret) = line.split_once(':')?;
        let secret: [u8; KEY_BYTES] = BASE64_STANDARD.decode(secret).ok()?.try_into().ok()?;
        (!id.is_empty()).then(|| Self { id: id.to_owned(), secret: SecretBox::new(Box::new(secret)) })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}
