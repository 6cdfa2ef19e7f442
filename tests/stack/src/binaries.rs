use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::Part;
use crate::blueprint::Blueprint;
use crate::child::{answer_of, guarded, output_of, spawn};
use crate::postgres::database_url;
use crate::ready::Probe;
use crate::secrets::{
    CIAM_KEY, CODEC_KEYS, FINGERPRINT_KEY, MAMBU_KEY, NOTIFICATION_KEY, PIN_PEPPER, SLACK_WEBHOOK, VENDRON_TOKEN,
    VIEW_KEY, WATCHER_KEY, WATCHER_SECRETS, write_private,
};
use crate::settings::{Settings, build_folder, target_folder};
use crate::{aws, temporal};

const API: &str = "perdura-api";
const PROCESSES: &str = "invoices,purchase-codes,fridge-sales,gifts";
const ONE_SHOT: Duration = Duration::from_mins(1);
const BUILD: Duration = Duration::from_hours(1);

/// Builds our programs and gives the folder they are in, which is that of the running program.
pub(crate) fn build(settings: &Settings) -> Result<PathBuf> {
    let folder = build_folder()?;
    settings.tell("Building …");
    cargo_build(settings, &folder, &["--bins"])?;
    for substitute in settings.substitutes() {
        // By itself: with its features, the other programs would become others, too.
        cargo_build(settings, &folder, &["--bin", &substitute.program, "--features", &substitute.features])?;
    }
    Ok(folder)
}

fn cargo_build(settings: &Settings, folder: &Path, what: &[&str]) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = guarded(cargo, "TERM");
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_one_crate(name)) {
        // Left in place, they make build scripts that watch them run again, and half the dependencies with them.
        command.env_remove(name);
    }
    command
        .arg("build")
        .args(what)
        .args(profile(folder))
        .current_dir(settings.root())
        .env("CARGO_TARGET_DIR", target_folder()?);
    if !settings.is_local() {
        return output_of(command, &format!("cargo build {}", what.join(" ")), BUILD).map(drop);
    }
    command.stdin(Stdio::null());
    let status = spawn(command).and_then(|mut cargo| cargo.wait()).context("cannot run cargo")?;
    if !status.success() {
        bail!("The build failed: see above.");
    }
    Ok(())
}

/// What cargo tells a program about the crate it comes from.
fn is_of_one_crate(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| name.starts_with(prefix))
}

fn profile(folder: &Path) -> Vec<String> {
    match folder.file_name().map(OsStr::to_string_lossy).as_deref() {
        None | Some("debug") => Vec::new(),
        Some("release") => vec!["--release".to_owned()],
        Some(other) => vec!["--profile".to_owned(), other.to_owned()],
    }
}

/// Runs `perdura-api` with arguments that end by themselves, and gives what it prints.
pub(crate) fn run_api(blueprint: &Blueprint, arguments: &[&str]) -> Result<String> {
    tell_api(blueprint, arguments, "")
}

/// The same, with something to read on its standard input.
pub(crate) fn tell_api(blueprint: &Blueprint, arguments: &[&str], input: &str) -> Result<String> {
    let mut command = guarded(blueprint.programs.join(API), "KILL");
    clean(blueprint, &mut command);
    command.args(arguments);
    connect(blueprint, &mut command)?;
    let subcommand = arguments.first().unwrap_or(&"");
    answer_of(command, input, &format!("{API} {subcommand}"), ONE_SHOT)
}

/// A new API key.
pub(crate) fn create_key(blueprint: &Blueprint, principal: &str, scopes: &[&str]) -> Result<String> {
    let mut arguments = vec!["keys", "create", "--principal", principal];
    for scope in scopes {
        arguments.extend(["--scope", scope]);
    }
    let key = run_api(blueprint, &arguments)?.trim().to_owned();
    if key.is_empty() || key.contains(char::is_whitespace) {
        bail!("{API} keys create did not print a key alone.");
    }
    Ok(key)
}

pub(crate) fn probe(blueprint: &Blueprint, part: Part) -> Probe {
    let ports = blueprint.ports();
    let listens_on = match part {
        Part::Sandbox => ports.sandbox,
        Part::Worker => ports.worker,
        _ => ports.api,
    };
    Probe::Http { port: listens_on, path: "/readyz" }
}

pub(crate) fn command(blueprint: &Blueprint, part: Part) -> Result<Command> {
    let mut command = guarded(blueprint.programs.join(blueprint.settings.program_of(part)), "KILL");
    clean(blueprint, &mut command);
    match part {
        Part::Api => {
            command.arg("serve");
            connect(blueprint, &mut command)?;
            api(blueprint, &mut command);
        }
        Part::Worker => {
            connect(blueprint, &mut command)?;
            worker(blueprint, &mut command)?;
        }
        _ => sandbox(blueprint, &mut command),
    }
    Ok(command)
}

/// A shell's own settings for some other Temporal, database or AWS must not reach our programs, nor, in tests, its settings
/// for us.
fn clean(blueprint: &Blueprint, command: &mut Command) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let ours = text.starts_with("PERDURA_") && !blueprint.settings.is_local();
        if ours || ["TEMPORAL_", "PG", "AWS_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    // The output goes to files, where colours are noise.
    command.env("PERDURA_LOG_FORMAT", "text").env("NO_COLOR", "1");
    command.current_dir(blueprint.state.folder());
}

fn connect(blueprint: &Blueprint, command: &mut Command) -> Result<()> {
    command.env("PERDURA_DATABASE_URL", database_url(blueprint)?);
    command.env("TEMPORAL_ADDRESS", temporal::address(blueprint)).env("TEMPORAL_NAMESPACE", temporal::NAMESPACE);
    command.env("PERDURA_CODEC_KEYS_FILE", blueprint.secrets.path(CODEC_KEYS));
    command.env("PERDURA_PROCESSES", PROCESSES);
    command.env("PERDURA_PIN_PEPPER_FILE", blueprint.secrets.path(PIN_PEPPER));
    aws::connect(blueprint, command);
    Ok(())
}

/// The outside systems are the sandbox.
fn worker(blueprint: &Blueprint, command: &mut Command) -> Result<()> {
    let sandbox = blueprint.sandbox_url();
    // Whoever knows the URL of a webhook may write there: it is a secret as any other.
    let webhook = blueprint.secrets.path(SLACK_WEBHOOK);
    write_private(&webhook, &format!("{sandbox}/slack/operators"))?;
    command.env("PERDURA_SLACK_WEBHOOK_FILE", webhook);
    command.env("PERDURA_VENDRON_URL", format!("{}/vendron/publicV2", sandbox.replacen("http", "ws", 1)));
    command.env("PERDURA_VENDRON_TOKEN_FILE", blueprint.secrets.path(VENDRON_TOKEN));
    command.env("PERDURA_NOTIFICATION_URL", format!("{}/vendron/notifications", blueprint.api_url()));
    command.env("PERDURA_NOTIFICATION_KEY_FILE", blueprint.secrets.path(NOTIFICATION_KEY));
    command.env("PERDURA_MAMBU_URL", format!("{sandbox}/mambu/api"));
    command.env("PERDURA_MAMBU_API_KEY_FILE", blueprint.secrets.path(MAMBU_KEY));
    command.env("PERDURA_CIAM_URL", format!("{sandbox}/ciam"));
    command.env("PERDURA_CIAM_KEY_FILE", blueprint.secrets.path(CIAM_KEY));
    command.env("PERDURA_ADDRESS_SERVICE_URL", sandbox);
    command.env("PERDURA_WORKER_LISTEN", loopback(blueprint.ports().worker));
    Ok(())
}

fn api(blueprint: &Blueprint, command: &mut Command) {
    let ports = blueprint.ports();
    command.env("PERDURA_LISTEN", loopback(ports.api));
    command.env("PERDURA_FINGERPRINT_KEY_FILE", blueprint.secrets.path(FINGERPRINT_KEY));
    command.env("PERDURA_VIEW_KEY_FILE", blueprint.secrets.path(VIEW_KEY));
    command.env("PERDURA_NOTIFICATION_KEY_FILE", blueprint.secrets.path(NOTIFICATION_KEY));
    command.env("PERDURA_WATCHER_SECRETS_FILE", blueprint.secrets.path(WATCHER_SECRETS));
    if blueprint.settings.is_local() {
        command.env("PERDURA_OPEN_CODEC_LISTEN", loopback(ports.codec));
        // A browser sends the name that its user typed.
        command.env("PERDURA_UI_ORIGIN", format!("{},http://localhost:{}", blueprint.ui_url(), ports.ui));
        return;
    }
    for rate in
        ["PERDURA_KEY_RATE", "PERDURA_KEY_BURST", "PERDURA_ADDRESS_RATE", "PERDURA_ADDRESS_BURST", "PERDURA_FORM_RATE"]
    {
        // All tests of a stack call from one address, and storms are what some of them are about.
        command.env(rate, "100000");
    }
    // A computer that stalls for some seconds refuses no opening for that, and replaces nobody who holds a websocket.
    command.env("PERDURA_SALE_ACKNOWLEDGEMENT", "10s").env("PERDURA_SALE_HEARTBEAT", "60s");
}

fn sandbox(blueprint: &Blueprint, command: &mut Command) {
    command.env("PERDURA_SANDBOX_LISTEN", loopback(blueprint.ports().sandbox));
    command.env("PERDURA_SANDBOX_API_URL", blueprint.api_url());
    command.env("PERDURA_SANDBOX_WATCHER_KEY_FILE", blueprint.secrets.path(WATCHER_KEY));
    command.env("PERDURA_SANDBOX_WATCHER_SECRET_FILE", blueprint.secrets.path(WATCHER_SECRETS));
    command.env("PERDURA_SANDBOX_MAMBU_KEY_FILE", blueprint.secrets.path(MAMBU_KEY));
    command.env("PERDURA_SANDBOX_CIAM_KEY_FILE", blueprint.secrets.path(CIAM_KEY));
    command.env("PERDURA_SANDBOX_VENDRON_TOKEN_FILE", blueprint.secrets.path(VENDRON_TOKEN));
    command.env("PERDURA_SANDBOX_STATE_DIR", blueprint.state.path("sandbox"));
}

pub(crate) fn loopback(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_that_of_the_build_folder() {
        assert!(profile(Path::new("/x/target/debug")).is_empty());
        assert_eq!(profile(Path::new("/x/target/release")), ["--release"]);
        assert_eq!(profile(Path::new("/x/target/bench-like")), ["--profile", "bench-like"]);
    }

    #[test]
    fn only_what_belongs_to_one_crate_is_kept_from_cargo() {
        assert!(is_of_one_crate(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(!is_of_one_crate(OsStr::new("CARGO_HOME")) && !is_of_one_crate(OsStr::new("RUSTFLAGS")));
    }
}
