use std::io::{Write, stdout};

use anyhow::{bail, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use store::postgres::{Database, api_keys::ApiKey};
use uuid::Uuid;

use super::DatabaseSettings;
use crate::auth::{Principal, SCOPES, key};

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key and print it. It is shown this once.
    Create {
        /// Owner: merchant:<uuid>, frontend:<name>, provider:<provider>/<device>, shop:<supplier>/<device>,
        /// watcher:<name> or operator:<name>.
        #[arg(long)]
        principal: Principal,
        /// What the key may do; can be given more than once.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        #[command(flatten)]
        database: DatabaseSettings,
    },
    /// List the keys, newest first.
    List {
        #[command(flatten)]
        database: DatabaseSettings,
    },
    /// Stop a key from working, at once.
    Revoke {
        /// Id of the key, as `list` shows it.
        key_id: Uuid,
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    match settings.command {
        Command::Create { principal, scopes, database } => create(&database.open()?, &principal, scopes).await,
        Command::List { database } => list(&database.open()?).await,
        Command::Revoke { key_id, database } => revoke(&database.open()?, key_id).await,
    }
}

async fn create(database: &Database, principal: &Principal, mut scopes: Vec<String>) -> anyhow::Result<()> {
    scopes.sort_unstable();
    scopes.dedup();
    scopes.iter().try_for_each(|scope| check(principal, scope))?;
    let key = key::generate()?;
    database.insert_api_key(&key::hash(&key), &principal.to_string(), &scopes).await?;
    Ok(writeln!(stdout().lock(), "{key}")?)
}

/// A scope is for one kind of principal: a merchant's key cannot be made an operator's by mistake.
fn check(principal: &Principal, scope: &str) -> anyhow::Result<()> {
    let Some((_, kinds)) = SCOPES.iter().find(|(known, _)| *known == scope) else {
        let known: Vec<_> = SCOPES.iter().map(|(scope, _)| *scope).collect();
        bail!("there is no scope \"{scope}\": there are {}", known.join(", "));
    };
    let kind = principal.kind();
    ensure!(kinds.contains(&kind), "the scope {scope} is for {}:…, not for {principal}", kinds.join(":… or "));
    Ok(())
}

async fn list(database: &Database) -> anyhow::Result<()> {
    let keys = database.list_api_keys().await?;
    let width = keys.iter().map(|key| key.principal.len()).max().unwrap_or_default().max("PRINCIPAL".len());
    let mut out = stdout().lock();
    writeln!(out, "{:<36}  {:<width$}  {:<20}  {:<20}  SCOPES", "ID", "PRINCIPAL", "CREATED", "REVOKED")?;
    for key in keys {
        writeln!(out, "{}", line(&key, width))?;
    }
    Ok(())
}

fn line(key: &ApiKey, width: usize) -> String {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let revoked = key.revoked_at.map_or_else(|| "-".to_owned(), time);
    let scopes = key.scopes.join(" ");
    format!("{}  {:<width$}  {:<20}  {revoked:<20}  {scopes}", key.key_id, key.principal, time(key.created_at))
}

async fn revoke(database: &Database, key_id: Uuid) -> anyhow::Result<()> {
    ensure!(database.revoke_api_key(key_id).await?, "there is no working key {key_id}");
    Ok(())
}
