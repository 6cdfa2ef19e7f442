use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::TryRngCore;
use rand::rngs::OsRng;

pub(crate) const CODEC_KEYS: &str = "codec.keys";
pub(crate) const FINGERPRINT_KEY: &str = "fingerprint.key";
pub(crate) const VIEW_KEY: &str = "view.key";
pub(crate) const NOTIFICATION_KEY: &str = "notification.key";
pub(crate) const WATCHER_SECRETS: &str = "watcher.secrets";
pub(crate) const POSTGRES_PASSWORD: &str = "postgres.password";
pub(crate) const MERCHANT_ID: &str = "merchant.id";
pub(crate) const MERCHANT_KEY: &str = "merchant.key";
pub(crate) const WATCHER_KEY: &str = "watcher.key";
pub(crate) const OPERATOR_KEY: &str = "operator.key";
pub(crate) const FRONTEND_KEY: &str = "frontend.key";
pub(crate) const PROVIDER_DEVICE_KEY: &str = "provider-device.key";
pub(crate) const CODE_KEY: &str = "code.key";
pub(crate) const MAMBU_KEY: &str = "mambu.key";
pub(crate) const CIAM_KEY: &str = "ciam.key";
pub(crate) const SHOP_DEVICE_KEY: &str = "shop-device.key";
pub(crate) const VENDRON_TOKEN: &str = "vendron.token";
pub(crate) const SLACK_WEBHOOK: &str = "slack.webhook";
pub(crate) const PIN_PEPPER: &str = "pin.pepper";

/// The folder of files that only their owner may read, each with one secret and no line end.
#[derive(Debug)]
pub(crate) struct Secrets {
    folder: PathBuf,
}

impl Secrets {
    /// Opens the folder and makes what is missing in it, except API keys, which live in the database.
    pub(crate) fn open(folder: PathBuf) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let secrets = Self { folder };
        secrets.ensure(CODEC_KEYS, || Ok(format!("local-1:{}", STANDARD.encode(random::<32>()?))))?;
        for key in [FINGERPRINT_KEY, VIEW_KEY, NOTIFICATION_KEY, CODE_KEY, PIN_PEPPER] {
            secrets.ensure(key, || Ok(STANDARD.encode(random::<32>()?)))?;
        }
        for outside in [MAMBU_KEY, CIAM_KEY, VENDRON_TOKEN] {
            secrets.ensure(outside, || Ok(URL_SAFE_NO_PAD.encode(random::<24>()?)))?;
        }
        secrets.ensure(WATCHER_SECRETS, || Ok(format!("whsec_{}", STANDARD.encode(random::<32>()?))))?;
        secrets.ensure(POSTGRES_PASSWORD, || Ok(URL_SAFE_NO_PAD.encode(random::<24>()?)))?;
        secrets
            .ensure(MERCHANT_ID, || Ok(uuid::Builder::from_random_bytes(random::<16>()?).into_uuid().to_string()))?;
        Ok(secrets)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Result<String> {
        let path = self.path(name);
        let content = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(content.trim_end().to_owned())
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Makes the file unless it is there; a crash leaves either no file or a whole one.
    pub(crate) fn ensure(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<()> {
        if self.exists(name) {
            return Ok(());
        }
        write_private(&self.path(name), &make()?)
    }

    /// An API key that may do just this: a state folder may be older than one of the scopes.
    pub(crate) fn api_key(&self, name: &str, scopes: &[&str], make: impl FnOnce() -> Result<String>) -> Result<String> {
        let (written, scopes) = (format!("{name}.scopes"), scopes.join(" "));
        if !self.exists(&written) || self.read(&written)? != scopes {
            self.forget(name)?;
        }
        self.ensure(name, make)?;
        write_private(&self.path(&written), &scopes)?;
        self.read(name)
    }

    /// Forgets the API keys of a database that is gone.
    pub(crate) fn forget_api_keys(&self) -> Result<()> {
        let keys = [MERCHANT_KEY, WATCHER_KEY, OPERATOR_KEY, FRONTEND_KEY, PROVIDER_DEVICE_KEY, SHOP_DEVICE_KEY];
        keys.into_iter().try_for_each(|name| self.forget(name))
    }

    fn forget(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<()> {
    let part = path.with_added_extension("part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let write = || -> std::io::Result<()> {
        options.open(&part)?.write_all(content.as_bytes())?;
        fs::rename(&part, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    OsRng.try_fill_bytes(&mut bytes).context("the operating system gives no random numbers")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("stack-secrets-{name}-{}", std::process::id()))
    }

    #[test]
    fn secrets_are_private_and_made_once() {
        let folder = folder("once");
        let first = Secrets::open(folder.clone()).unwrap().read(CODEC_KEYS).unwrap();
        let again = Secrets::open(folder.clone()).unwrap();
        assert_eq!(again.read(CODEC_KEYS).unwrap(), first);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&again.path(CODEC_KEYS))), (0o700, 0o600));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_key_is_made_anew_when_it_may_do_more() {
        let folder = folder("scopes");
        let secrets = Secrets::open(folder.clone()).unwrap();
        let key = |scopes: &[&str], new: &str| secrets.api_key(FRONTEND_KEY, scopes, || Ok(new.to_owned())).unwrap();
        assert_eq!(key(&["a"], "first"), "first");
        assert_eq!(key(&["a"], "second"), "first");
        assert_eq!(key(&["a", "b"], "third"), "third");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn secrets_have_the_form_that_our_programs_read() {
        let folder = folder("form");
        let secrets = Secrets::open(folder.clone()).unwrap();
        let key = secrets.read(CODEC_KEYS).unwrap();
        assert_eq!(STANDARD.decode(key.strip_prefix("local-1:").unwrap()).unwrap().len(), 32);
        for name in [FINGERPRINT_KEY, VIEW_KEY, NOTIFICATION_KEY, CODE_KEY, PIN_PEPPER] {
            assert_eq!(STANDARD.decode(secrets.read(name).unwrap()).unwrap().len(), 32, "{name}");
        }
        assert_eq!([MAMBU_KEY, CIAM_KEY, VENDRON_TOKEN].map(|name| secrets.read(name).unwrap().len()), [32; 3]);
        assert!(secrets.read(WATCHER_SECRETS).unwrap().starts_with("whsec_"));
        assert_eq!(secrets.read(MERCHANT_ID).unwrap().len(), 36);
        fs::remove_dir_all(folder).unwrap();
    }
}
