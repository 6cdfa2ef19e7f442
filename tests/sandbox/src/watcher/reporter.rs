//! Sends bodies to `POST /deposits` of the API, with the bearer key and the signature of a watcher.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::Utc;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use uuid::Uuid;

/// Longer than a healthy API ever takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where and as whom observations are reported.
pub(crate) struct Reporter {
    client: reqwest::Client,
    url: String,
    key_file: PathBuf,
    secret_file: PathBuf,
}

/// What the API said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Null where the body was not JSON.
    pub(crate) body: Value,
}

impl Reporter {
    /// Fails where a file cannot be read: a watcher that can never report should not start.
    pub(crate) fn new(api_url: &str, key_file: PathBuf, secret_file: PathBuf) -> anyhow::Result<Self> {
        for file in [&key_file, &secret_file] {
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        }
        // The sandbox reports to an address that it was given: no proxy stands between.
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let url = format!("{}/deposits", api_url.trim_end_matches('/'));
        Ok(Self { client, url, key_file, secret_file })
    }

    /// Sends one body. The files are read each time, so that a key can be changed while the sandbox runs.
    pub(crate) async fn send(&self, body: String) -> anyhow::Result<Answer> {
        let key = first_line(&self.key_file).await?;
        let secret = first_line(&self.secret_file).await?;
        let id = format!("msg_{}", Uuid::new_v4().simple());
        let timestamp = Utc::now().timestamp();
        let signature = Webhook::new(secret.expose_secret())?.sign(&id, timestamp, body.as_bytes())?;
        let request = self.client.post(&self.url).bearer_auth(key.expose_secret());
        let request = request.header(CONTENT_TYPE, "application/json").header(HEADER_WEBHOOK_ID, id);
        let request = request.header(HEADER_WEBHOOK_TIMESTAMP, timestamp).header(HEADER_WEBHOOK_SIGNATURE, signature);
        let response = request.body(body).send().await?;
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }
}

async fn first_line(path: &Path) -> anyhow::Result<SecretString> {
    let text = tokio::fs::read_to_string(path).await.with_context(|| format!("{} cannot be read", path.display()))?;
    let Some(line) = text.lines().map(str::trim).find(|line| !line.is_empty()) else {
        bail!("{} is empty", path.display());
    };
    Ok(SecretString::from(line.to_owned()))
}
