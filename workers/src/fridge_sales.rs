//! Settings of the fridge sales, and the outside systems that follow from them.

use std::{path::PathBuf, time::Duration};

use activities::clients::{
    slack::Slack,
    vendron::{Limits, Notifications, Vendron},
};
use anyhow::{Context, bail};
use clap::Args;
use humantime::parse_duration;
use program::secrets;
use reqwest::Url;
use store::LinkKey;

/// A list of everything in a fridge is a tenth of this.
const LARGEST_FRAME: usize = 1 << 20;
/// How long Slack may take to answer.
const SLACK: Duration = Duration::from_secs(10);

/// Settings of the fridge sales. What has no default is needed only by a worker that runs them, except for Slack and
/// notifications.
#[derive(Debug, Clone, Args)]
pub struct SaleSettings {
    /// URL of Vendron Cloud, with its path: wss://…/publicV2.
    #[arg(long, env = "PERDURA_VENDRON_URL")]
    vendron_url: Option<Url>,
    /// File with the token for Vendron.
    #[arg(long, env = "PERDURA_VENDRON_TOKEN_FILE")]
    vendron_token_file: Option<PathBuf>,
    /// How long a connection to Vendron may take.
    #[arg(long, env = "PERDURA_VENDRON_CONNECT", default_value = "5s", value_parser = parse_duration)]
    vendron_connect: Duration,
    /// Between two pings of a connection.
    #[arg(long, env = "PERDURA_VENDRON_PING", default_value = "15s", value_parser = parse_duration)]
    vendron_ping: Duration,
    /// A connection on which nothing is heard for this long is lost.
    #[arg(long, env = "PERDURA_VENDRON_IDLE", default_value = "45s", value_parser = parse_duration)]
    vendron_idle: Duration,
    /// URL under which the API takes what Vendron posts: https://…/vendron/notifications. Without it Vendron is not asked
    /// to post anything.
    #[arg(long, env = "PERDURA_NOTIFICATION_URL")]
    notification_url: Option<Url>,
    /// File with the key for the tokens below that URL: base64 of 32 bytes, the same as the API's.
    #[arg(long, env = "PERDURA_NOTIFICATION_KEY_FILE")]
    notification_key_file: Option<PathBuf>,
    /// File with the URL of a Slack webhook. Without it alerts are recorded and logged.
    #[arg(long, env = "PERDURA_SLACK_WEBHOOK_FILE")]
    slack_webhook_file: Option<PathBuf>,
}

impl SaleSettings {
    /// Whether everything is there that fridge sales need.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.vendron()?;
        self.slack()?;
        Ok(())
    }

    /// Vendron, as these settings have it.
    pub(crate) fn vendron(&self) -> anyhow::Result<Vendron> {
        let url = set(self.vendron_url.as_ref(), "PERDURA_VENDRON_URL")?;
        let variable = "PERDURA_VENDRON_TOKEN_FILE";
        let token = secrets::text(set(self.vendron_token_file.as_deref(), variable)?, variable)?;
        let limits = Limits {
            connect: self.vendron_connect,
            ping: self.vendron_ping,
            idle: self.vendron_idle,
            frame: LARGEST_FRAME,
        };
        let vendron = Vendron::new(url.clone(), token, limits)?;
        Ok(match self.notifications()? {
            Some(notifications) => vendron.notified_at(notifications),
            None => vendron,
        })
    }

    /// Where Vendron posts, if these settings have it.
    fn notifications(&self) -> anyhow::Result<Option<Notifications>> {
        let (url_variable, key_variable) = ("PERDURA_NOTIFICATION_URL", "PERDURA_NOTIFICATION_KEY_FILE");
        let (url, path) = match (&self.notification_url, &self.notification_key_file) {
            (Some(url), Some(path)) => (url, path),
            (Some(_), None) => bail!("{url_variable} is set, and {key_variable} is not"),
            (None, Some(_)) => bail!("{key_variable} is set, and {url_variable} is not"),
            (None, None) => return Ok(None),
        };
        let notifications = Notifications::new(url.clone(), LinkKey::new(secrets::key(path, key_variable)?));
        notifications.map(Some).with_context(|| format!("{url_variable} cannot be used"))
    }

    /// Slack, if these settings have it.
    pub(crate) fn slack(&self) -> anyhow::Result<Option<Slack>> {
        let variable = "PERDURA_SLACK_WEBHOOK_FILE";
        let Some(path) = self.slack_webhook_file.as_deref().filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(None);
        };
        let slack = Slack::new(secrets::text(path, variable)?, SLACK);
        slack.map(Some).with_context(|| format!("{variable} cannot be used"))
    }
}

fn set<T>(setting: Option<T>, variable: &str) -> anyhow::Result<T> {
    setting.with_context(|| format!("the process fridge-sales needs {variable}, which is not set"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: SaleSettings,
    }

    fn check(arguments: &[&str]) -> Result<(), String> {
        let line = Line::try_parse_from([&["worker"][..], arguments].concat()).unwrap();
        line.settings.check().map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let token = std::env::temp_dir().join(format!("perdura-vendron-token-{}", std::process::id()));
        fs::write(&token, "a-very-secret-token\n").unwrap();
        let path = token.to_str().unwrap();
        let with_url = ["--vendron-url", "ws://127.0.0.1:1/publicV2"];
        let with_both = [&with_url[..], &["--vendron-token-file", path][..]].concat();
        let with_other = ["--vendron-url", "http://127.0.0.1:1/publicV2", "--vendron-token-file", path];
        let with_no_webhook = [&with_both[..], &["--slack-webhook-file", path][..]].concat();
        for (arguments, complaint) in [
            (&[][..], "PERDURA_VENDRON_URL"),
            (&with_url[..], "PERDURA_VENDRON_TOKEN_FILE"),
            (&with_other[..], "ws://"),
            (&with_no_webhook[..], "PERDURA_SLACK_WEBHOOK_FILE"),
        ] {
            let told = check(arguments).unwrap_err();
            assert!(told.contains(complaint) && !told.contains("secret"), "{told}");
        }
        assert_eq!(check(&with_both), Ok(()));
        fs::remove_file(token).unwrap();
    }

    #[test]
    fn notifications_need_an_address_and_a_key() {
        let file = |name: &str| std::env::temp_dir().join(format!("perdura-sale-{name}-{}", std::process::id()));
        let (token, key) = (file("token"), file("key"));
        fs::write(&token, "a-very-secret-token\n").unwrap();
        fs::write(&key, format!("{}=\n", "A".repeat(43))).unwrap();
        let (token_file, key_file) = (token.to_str().unwrap(), key.to_str().unwrap());
        let with = |more: &[&str]| {
            check(&[&["--vendron-url", "ws://127.0.0.1:1", "--vendron-token-file", token_file][..], more].concat())
        };
        let url = ["--notification-url", "https://api.example/vendron/notifications"];
        for (arguments, complaint) in [
            (&url[..], "PERDURA_NOTIFICATION_KEY_FILE is not"),
            (&["--notification-key-file", key_file], "PERDURA_NOTIFICATION_URL is not"),
            (&["--notification-key-file", token_file, url[0], url[1]], "base64 of 32 bytes"),
            (&["--notification-key-file", key_file, "--notification-url", "ws://api.example"], "http://"),
        ] {
            let told = with(arguments).unwrap_err();
            assert!(told.contains(complaint) && !told.contains("secret"), "{told}");
        }
        assert_eq!(with(&["--notification-key-file", key_file, url[0], url[1]]), Ok(()));
        for path in [token, key] {
            fs::remove_file(path).unwrap();
        }
    }
}
