//! Settings of the fridge sales, and the outside systems that follow from them.

use std::{path::PathBuf, time::Duration};

use activities::clients::{
    slack::Slack,
    vendron::{Limits, Vendron},
};
use anyhow::Context;
use clap::Args;
use humantime::parse_duration;
use reqwest::Url;

use crate::secrets::secret;

/// A list of everything in a fridge is a tenth of this.
const LARGEST_FRAME: usize = 1 << 20;
/// How long Slack may take to answer.
const SLACK: Duration = Duration::from_secs(10);

/// Settings of the fridge sales. What has no default is needed only by a worker that runs them, Slack excepted.
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
        let token = secret(set(self.vendron_token_file.as_deref(), variable)?, variable)?;
        let limits = Limits {
            connect: self.vendron_connect,
            ping: self.vendron_ping,
            idle: self.vendron_idle,
            frame: LARGEST_FRAME,
        };
        Ok(Vendron::new(url.clone(), token, limits)?)
    }

    /// Slack, if these settings have it.
    pub(crate) fn slack(&self) -> anyhow::Result<Option<Slack>> {
        let variable = "PERDURA_SLACK_WEBHOOK_FILE";
        let Some(path) = self.slack_webhook_file.as_deref().filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(None);
        };
        let slack = Slack::new(secret(path, variable)?, SLACK);
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
}
