//! Settings of the purchase codes, and the outside systems and stores that follow from them.

use std::{path::PathBuf, time::Duration};

use activities::clients::{
    ciam::Ciam,
    mambu::{Credentials, Mambu},
};
use anyhow::{Context, bail};
use clap::Args;
use humantime::parse_duration;
use program::secrets;
use reqwest::Url;
use store::dynamodb::AwsSettings;

/// Settings of the purchase codes. What has no default is needed only by a worker that runs them.
#[derive(Debug, Clone, Args)]
pub struct PurchaseSettings {
    /// Where the purchases are kept.
    #[command(flatten)]
    pub(crate) records: AwsSettings,
    /// URL of Mambu's API, with its /api.
    #[arg(long, env = "PERDURA_MAMBU_URL")]
    mambu_url: Option<Url>,
    /// File with the API key for Mambu.
    #[arg(long, env = "PERDURA_MAMBU_API_KEY_FILE")]
    mambu_api_key_file: Option<PathBuf>,
    /// User at Mambu, instead of an API key.
    #[arg(long, env = "PERDURA_MAMBU_USER")]
    mambu_user: Option<String>,
    /// File with the password of that user.
    #[arg(long, env = "PERDURA_MAMBU_PASSWORD_FILE")]
    mambu_password_file: Option<PathBuf>,
    /// How long Mambu may take to answer.
    #[arg(long, env = "PERDURA_MAMBU_TIMEOUT", default_value = "10s", value_parser = parse_duration)]
    mambu_timeout: Duration,
    /// Transaction channel of disbursements, where the tenant wants one.
    #[arg(long, env = "PERDURA_MAMBU_CHANNEL")]
    mambu_channel: Option<String>,
    /// URL of CIAM.
    #[arg(long, env = "PERDURA_CIAM_URL")]
    ciam_url: Option<Url>,
    /// File with the key for CIAM.
    #[arg(long, env = "PERDURA_CIAM_KEY_FILE")]
    ciam_key_file: Option<PathBuf>,
    /// How long CIAM may take to answer.
    #[arg(long, env = "PERDURA_CIAM_TIMEOUT", default_value = "5s", value_parser = parse_duration)]
    ciam_timeout: Duration,
}

impl PurchaseSettings {
    /// Whether everything is there that purchase codes need.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.records.code_key()?;
        self.mambu()?;
        self.ciam()?;
        Ok(())
    }

    /// Mambu, as these settings have it.
    pub(crate) fn mambu(&self) -> anyhow::Result<Mambu> {
        let url = set(self.mambu_url.as_ref(), "PERDURA_MAMBU_URL")?;
        let mambu = Mambu::new(url.clone(), self.mambu_credentials()?, self.mambu_timeout)?;
        Ok(mambu.with_channel(self.mambu_channel.clone().filter(|channel| !channel.is_empty())))
    }

    /// CIAM, as these settings have it.
    pub(crate) fn ciam(&self) -> anyhow::Result<Ciam> {
        let url = set(self.ciam_url.as_ref(), "PERDURA_CIAM_URL")?;
        let key = secrets::text(set(self.ciam_key_file.as_deref(), "PERDURA_CIAM_KEY_FILE")?, "PERDURA_CIAM_KEY_FILE")?;
        Ok(Ciam::new(url.clone(), key, self.ciam_timeout)?)
    }

    fn mambu_credentials(&self) -> anyhow::Result<Credentials> {
        let password = self.mambu_password_file.as_deref();
        match (self.mambu_api_key_file.as_deref(), &self.mambu_user, password) {
            (Some(path), None, None) => Ok(Credentials::ApiKey(secrets::text(path, "PERDURA_MAMBU_API_KEY_FILE")?)),
            (None, Some(user), Some(path)) => {
                let password = secrets::text(path, "PERDURA_MAMBU_PASSWORD_FILE")?;
                Ok(Credentials::Basic { user: user.clone(), password })
            }
            _ => bail!(
                "the process purchase-codes needs either PERDURA_MAMBU_API_KEY_FILE, \
                 or PERDURA_MAMBU_USER and PERDURA_MAMBU_PASSWORD_FILE"
            ),
        }
    }
}

fn set<T>(setting: Option<T>, variable: &str) -> anyhow::Result<T> {
    setting.with_context(|| format!("the process purchase-codes needs {variable}, which is not set"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: PurchaseSettings,
    }

    fn complaint(arguments: &[&str]) -> String {
        let line = Line::try_parse_from([&["worker"][..], arguments].concat()).unwrap();
        line.settings.check().unwrap_err().to_string()
    }

    #[test]
    fn what_is_missing_is_named() {
        let key = std::env::temp_dir().join(format!("perdura-code-key-{}", std::process::id()));
        fs::write(&key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
        let with_key = ["--code-key-file", key.to_str().unwrap()];
        let with_url = [&with_key[..], &["--mambu-url", "http://127.0.0.1:1/api"][..]].concat();
        let with_both = [&with_url[..], &["--mambu-user", "perdura", "--mambu-api-key-file", "/nowhere"][..]].concat();
        let with_nothing = [&with_url[..], &["--mambu-api-key-file", "/nowhere"][..]].concat();
        for (arguments, missing) in [
            (&[][..], "PERDURA_CODE_KEY_FILE"),
            (&with_key[..], "PERDURA_MAMBU_URL"),
            (&with_url[..], "PERDURA_MAMBU_API_KEY_FILE"),
            (&with_both[..], "PERDURA_MAMBU_API_KEY_FILE"),
            (&with_nothing[..], "cannot read /nowhere"),
        ] {
            let complaint = complaint(arguments);
            assert!(complaint.contains(missing), "{complaint}");
        }
        fs::remove_file(key).unwrap();
    }
}
