use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that must not be seen: it prints as nothing, and travels only in payloads, which the codec encrypts.
#[derive(Clone)]
pub struct Confidential(SecretString);

impl Confidential {
    /// Hides `text`.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text, for the one call that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Confidential")
    }
}

impl Serialize for Confidential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Confidential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_travels_and_does_not_print() {
        let secret: Confidential = serde_json::from_str("\"123456\"").unwrap();
        assert_eq!(secret.expose(), "123456");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"123456\"");
        assert!(!format!("{secret:?}").contains('1'));
    }
}
