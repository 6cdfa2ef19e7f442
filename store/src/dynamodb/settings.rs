use std::{fmt, fs, io, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use super::PurchaseTables;
use crate::s3::VoucherImages;

const KEY_BYTES: usize = 32;
const SEALING: &[u8] = b"perdura purchase code sealing v1";
const FINDING: &[u8] = b"perdura purchase code finding v1";

const CODE_KEY_FILE: &str = "PERDURA_CODE_KEY_FILE";

/// Where the purchases are kept. Credentials and region come from the variables that every program for AWS reads.
#[derive(Debug, Clone, Args)]
pub struct AwsSettings {
    /// URL of another DynamoDB than that of AWS.
    #[arg(long, env = "PERDURA_DYNAMODB_URL")]
    dynamodb_url: Option<String>,
    /// URL of another S3 than that of AWS.
    #[arg(long, env = "PERDURA_S3_URL")]
    s3_url: Option<String>,
    /// What the names of the tables begin with.
    #[arg(long, env = "PERDURA_TABLE_PREFIX", default_value = "perdura-")]
    pub(crate) table_prefix: String,
    /// The bucket with the vouchers.
    #[arg(long, env = "PERDURA_VOUCHER_BUCKET", default_value = "perdura-vouchers")]
    pub(crate) voucher_bucket: String,
    /// File with the key that purchase codes are sealed with: base64 of 32 bytes. Needed for purchase codes.
    #[arg(long, env = CODE_KEY_FILE)]
    code_key_file: Option<PathBuf>,
}

/// Why the purchases cannot be reached with these settings.
#[derive(Debug, thiserror::Error)]
pub enum AwsSettingsError {
    /// Nothing names the key.
    #[error("the process purchase-codes needs {CODE_KEY_FILE}, which is not set")]
    NoCodeKey,
    /// The file is not there, or not for us.
    #[error("cannot read {path}, the file named by {CODE_KEY_FILE}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// What is in it is no key.
    #[error("{path}, the file named by {CODE_KEY_FILE}, cannot be used")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CodeKeyError,
    },
}

impl AwsSettings {
    /// The key of the codes.
    pub fn code_key(&self) -> Result<CodeKey, AwsSettingsError> {
        let path = self.code_key_file.as_ref().ok_or(AwsSettingsError::NoCodeKey)?;
        let text =
            fs::read_to_string(path).map_err(|source| AwsSettingsError::Unreadable { path: path.clone(), source })?;
        CodeKey::from_base64(&text).map_err(|source| AwsSettingsError::Unusable { path: path.clone(), source })
    }

    /// The way to the tables. Calls nobody yet.
    pub async fn tables(&self) -> Result<PurchaseTables, AwsSettingsError> {
        Ok(PurchaseTables::connect(self, self.code_key()?).await)
    }

    /// The way to the vouchers. Calls nobody yet.
    pub async fn images(&self) -> VoucherImages {
        VoucherImages::connect(self).await
    }

    /// A variable that is set to nothing is not set.
    pub(crate) fn dynamodb_url(&self) -> Option<&str> {
        self.dynamodb_url.as_deref().filter(|url| !url.is_empty())
    }

    pub(crate) fn s3_url(&self) -> Option<&str> {
        self.s3_url.as_deref().filter(|url| !url.is_empty())
    }
}

/// The keys that seal and find purchase codes, each derived from the code key for its one use.
#[derive(Clone)]
pub struct CodeKey(Arc<Keys>);

struct Keys {
    sealing: SecretBox<[u8; KEY_BYTES]>,
    finding: SecretBox<[u8; KEY_BYTES]>,
}

/// The text is no code key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the code key is not the base64 of 32 bytes")]
pub struct CodeKeyError;

impl CodeKey {
    /// Reads the base64 of 32 bytes; space around it does not matter.
    pub fn from_base64(text: &str) -> Result<Self, CodeKeyError> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| CodeKeyError)?;
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| CodeKeyError)?;
        Ok(Self(Arc::new(Keys { sealing: derive(&key, SEALING)?, finding: derive(&key, FINDING)? })))
    }

    pub(super) fn sealing(&self) -> &[u8; KEY_BYTES] {
        self.0.sealing.expose_secret()
    }

    pub(super) fn finding(&self) -> &[u8; KEY_BYTES] {
        self.0.finding.expose_secret()
    }
}

fn derive(key: &[u8; KEY_BYTES], purpose: &[u8]) -> Result<SecretBox<[u8; KEY_BYTES]>, CodeKeyError> {
    let mut derived = [0; KEY_BYTES];
    Hkdf::<Sha256>::new(None, key).expand(purpose, &mut derived).map_err(|_| CodeKeyError)?;
    Ok(SecretBox::new(Box::new(derived)))
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CodeKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn the_derived_keys_never_change_and_do_not_print() {
        // Others would make every stored code unreadable.
        let key = CodeKey::from_base64(&format!(" {KEY}\n")).unwrap();
        assert_eq!(hex::encode(key.sealing()), "f9777cbc1ee09f4be903a0d694381ade4fa0d8685944fda13dc36d5dfd6ec9f1");
        assert_eq!(hex::encode(key.finding()), "5b66fb4ad3a0c0f8524c7aac8d06c26963bc20706a3377a33179b17336274df0");
        assert_eq!(format!("{key:?}"), "CodeKey");
    }

    #[test]
    fn a_key_has_32_bytes() {
        for text in ["", "AAEC", "not base64!", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ=="] {
            assert_eq!(CodeKey::from_base64(text).unwrap_err(), CodeKeyError, "{text}");
        }
    }
}
