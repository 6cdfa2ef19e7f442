use std::{fmt, path::PathBuf};

use anyhow::Context;
use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version, password_hash::Error,
};
use clap::Args;
use secrecy::{ExposeSecret, SecretBox};
use workflows::domain::Confidential;

use crate::secrets;

const LANES: u32 = 1;
const DIGITS: std::ops::RangeInclusive<usize> = 4..=12;

/// How PINs are hashed.
#[derive(Debug, Clone, Args)]
pub(crate) struct PinSettings {
    /// File with what every PIN is hashed with beside its salt: base64 of 32 bytes. Needed for gifts; with another one
    /// no PIN fits any more.
    #[arg(id = "pin-pepper-file", long = "pin-pepper-file", env = "PERDURA_PIN_PEPPER_FILE")]
    pepper_file: Option<PathBuf>,
    /// Memory of a new hash, in KiB. A hash keeps what it was made with.
    #[arg(id = "pin-memory-kib", long = "pin-memory-kib", env = "PERDURA_PIN_MEMORY_KIB", default_value_t = 19_456, value_parser = clap::value_parser!(u32).range(8..=1_048_576))]
    memory_kib: u32,
    /// Passes of a new hash over that memory.
    #[arg(id = "pin-passes", long = "pin-passes", env = "PERDURA_PIN_PASSES", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    passes: u32,
}

/// Hashes PINs: argon2id with a salt of each and a pepper of all.
pub(crate) struct PinHasher {
    pepper: SecretBox<[u8; 32]>,
    params: Params,
}

impl PinHasher {
    /// Reads the pepper.
    pub(crate) fn new(settings: &PinSettings) -> anyhow::Result<Self> {
        let path = settings.pepper_file.as_ref().context("gifts need PERDURA_PIN_PEPPER_FILE")?;
        let params = Params::new(settings.memory_kib, settings.passes, LANES, None);
        let params = params.context("PERDURA_PIN_MEMORY_KIB and PERDURA_PIN_PASSES cannot be used")?;
        Ok(Self { pepper: secrets::pin_pepper(path)?, params })
    }

    /// What is kept of a PIN.
    pub(crate) fn hash(&self, pin: &Confidential) -> Result<String, Error> {
        Ok(self.argon2()?.hash_password(pin.expose().as_bytes())?.to_string())
    }

    /// Whether `pin` is what `hash` was made of. The work is what the hash says, whatever is asked: what cannot be a
    /// PIN at all costs as much as a wrong one.
    pub(crate) fn fits(&self, pin: &Confidential, hash: &str) -> Result<bool, Error> {
        let hash = PasswordHash::new(hash)?;
        match self.argon2()?.verify_password(pin.expose().as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn argon2(&self) -> Result<Argon2<'_>, argon2::Error> {
        Argon2::new_with_secret(self.pepper.expose_secret(), Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }
}

impl fmt::Debug for PinHasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PinHasher")
    }
}

/// Whether `text` can be an account's PIN. Only where one is set: whoever tries one hears the same of every wrong one.
pub(crate) fn is_pin(text: &str) -> bool {
    DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
impl PinHasher {
    /// A hasher that is quick and safe from nobody.
    pub(crate) fn quick(pepper: u8) -> Self {
        let params = Params::new(Params::MIN_M_COST, 1, LANES, None).unwrap();
        Self { pepper: SecretBox::new(Box::new([pepper; 32])), params }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Confidential {
        Confidential::new(text.to_owned())
    }

    #[test]
    fn a_hash_fits_its_pin_and_no_other() {
        let hasher = PinHasher::quick(1);
        let hash = hasher.hash(&pin("0468")).unwrap();
        assert!(hasher.fits(&pin("0468"), &hash).unwrap());
        for wrong in ["468", "0469", "", " 0468", "0468 ", "0468\0", "０４６８", "٠٤٦٨", &"0468".repeat(1000)] {
            assert!(!hasher.fits(&pin(wrong), &hash).unwrap(), "{wrong:?}");
        }
        assert!(!PinHasher::quick(2).fits(&pin("0468"), &hash).unwrap(), "another pepper");
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert_ne!(hasher.hash(&pin("0468")).unwrap(), hash, "each has a salt of its own");
    }

    #[test]
    fn a_hash_keeps_the_work_that_it_was_made_with() {
        let slower = PinHasher { params: Params::new(16, 2, LANES, None).unwrap(), ..PinHasher::quick(1) };
        let hash = slower.hash(&pin("2468")).unwrap();
        assert!(PinHasher::quick(1).fits(&pin("2468"), &hash).unwrap());
    }

    #[test]
    fn what_is_no_hash_is_said_without_a_word_of_it() {
        let refused = PinHasher::quick(1).fits(&pin("2468"), "2468").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("2468"));
        assert_eq!(format!("{:?}", PinHasher::quick(1)), "PinHasher");
    }

    #[test]
    fn a_pin_is_four_to_twelve_digits() {
        for text in ["0000", "2468", "123456789012"] {
            assert!(is_pin(text), "{text}");
        }
        for text in ["", "123", "1234567890123", "12 34", "123a", "１２３４", "1234\n"] {
            assert!(!is_pin(text), "{text:?}");
        }
    }
}
