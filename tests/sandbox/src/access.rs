//! The keys that the callers of the systems have to show.

use std::path::Path;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};

/// The key of one system; without one, any that is shown is taken.
#[derive(Debug, Default)]
pub(crate) struct Lock(Option<SecretString>);

/// The locks of all systems that have one.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) mambu: Lock,
    pub(crate) ciam: Lock,
    pub(crate) vendron: Lock,
}

impl Lock {
    /// The key is the first line of `file`.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else {
            return Ok(Self(None));
        };
        let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let key = text.lines().map(str::trim).find(|line| !line.is_empty());
        let key = key.with_context(|| format!("{} is empty", file.display()))?;
        Ok(Self(Some(SecretString::from(key.to_owned()))))
    }

    pub(crate) fn opens_with(&self, key: &str) -> bool {
        self.0.as_ref().is_none_or(|right| right.expose_secret() == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_opens_and_without_a_lock_every_key_does() {
        let lock = Lock(Some(SecretString::from("right".to_owned())));
        assert!(lock.opens_with("right") && !lock.opens_with("wrong") && !lock.opens_with(""));
        assert!(Lock::default().opens_with("whatever"));
        assert!(Lock::read(Some(Path::new("/nowhere/at/all"))).is_err());
    }
}
