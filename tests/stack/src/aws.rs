//! DynamoDB and S3, played by MiniStack.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::blueprint::Blueprint;
use crate::child::guarded;
use crate::ready::Probe;
use crate::secrets::CODE_KEY;

/// The only credentials that MiniStack takes.
const KEY: &str = "test";
const REGION: &str = "us-east-1";
/// What it takes from whoever starts it: a shell's own settings for some other AWS must not reach it.
const INHERITED: [&str; 2] = ["PATH", "HOME"];
/// How long one of a run that was killed may take to save what it knows.
const LEFTOVER: Duration = Duration::from_secs(15);

pub(crate) fn probe(blueprint: &Blueprint) -> Probe {
    Probe::Http { port: blueprint.ports().aws, path: "/_ministack/ready" }
}

/// Makes its folders, and waits for one of an earlier run that is still saving there.
pub(crate) fn prepare(blueprint: &Blueprint) -> Result<()> {
    for folder in [tables(blueprint), objects(blueprint), scratch(blueprint)] {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    await_leftovers(&scratch(blueprint), &tables(blueprint))
}

pub(crate) fn command(blueprint: &Blueprint) -> Command {
    // On SIGTERM it saves the tables.
    let tool = &blueprint.tools.ministack;
    let mut command = guarded(&tool.program, "TERM");
    command.args(tool.arguments).env_clear();
    command.envs(INHERITED.iter().filter_map(|name| env::var_os(name).map(|value| (*name, value))));
    command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", blueprint.ports().aws.to_string());
    command.env("PERSIST_STATE", "1").env("STATE_DIR", tables(blueprint));
    command.env("S3_PERSIST", "1").env("S3_DATA_DIR", objects(blueprint));
    command.env("TMPDIR", scratch(blueprint)).env("PYTHONUNBUFFERED", "1");
    command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", KEY).env("MINISTACK_REGION", REGION);
    for service in ["IOT_MTLS_ENABLED", "SFTP_ENABLED"] {
        // These listen on ports of their own, which two stacks cannot share.
        command.env(service, "0");
    }
    command
}

/// What a program of ours needs to find purchases in it.
pub(crate) fn connect(blueprint: &Blueprint, command: &mut Command) {
    command.env("PERDURA_DYNAMODB_URL", blueprint.aws_url()).env("PERDURA_S3_URL", blueprint.aws_url());
    command.env("PERDURA_CODE_KEY_FILE", blueprint.secrets.path(CODE_KEY));
    command.env("AWS_REGION", REGION).env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", KEY);
    // A person's profiles, and the credentials of the machine this may run on, are for the real AWS.
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
}

fn tables(blueprint: &Blueprint) -> PathBuf {
    blueprint.state.path("ministack/tables")
}

fn objects(blueprint: &Blueprint) -> PathBuf {
    blueprint.state.path("ministack/objects")
}

fn scratch(blueprint: &Blueprint) -> PathBuf {
    blueprint.state.path("ministack/tmp")
}

/// It keeps its process id in a file as long as it lives. We hold the lock of the state folder, so one that still lives
/// belongs to a run that was killed, and was told to end by the kernel.
fn await_leftovers(scratch: &Path, tables: &Path) -> Result<()> {
    let deadline = Instant::now() + LEFTOVER;
    while let Some(pid) = leftover(scratch, tables)? {
        if Instant::now() >= deadline {
            bail!(
                "MiniStack of an earlier run still uses {} (process {pid}): end it with kill {pid}.",
                tables.display()
            );
        }
        sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn leftover(scratch: &Path, tables: &Path) -> io::Result<Option<u32>> {
    for entry in fs::read_dir(scratch)? {
        let path = entry?.path();
        let content = if path.extension().is_some_and(|extension| extension == "pid") {
            fs::read_to_string(&path).unwrap_or_default()
        } else {
            String::new()
        };
        if let Some(pid) = content.trim().parse().ok().filter(|pid| saves_to(*pid, tables)) {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

/// Whether the process is a MiniStack with this folder. A zombie has no environment any more, and saves nothing.
fn saves_to(pid: u32, tables: &Path) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let setting = [b"STATE_DIR=".as_slice(), tables.as_os_str().as_encoded_bytes()].concat();
    environment.split(|byte| *byte == 0).any(|variable| variable == setting)
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn only_a_living_one_of_this_folder_is_waited_for() {
        let folder = env::temp_dir().join(format!("stack-aws-{}", process::id()));
        let tables = folder.join("tables");
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(leftover(&folder, &tables).unwrap(), None);
        let mut living = Command::new("sleep").arg("60").env("STATE_DIR", &tables).spawn().unwrap();
        for (name, content) in [("other.pid", process::id().to_string()), ("empty.pid", String::new())] {
            fs::write(folder.join(name), content).unwrap();
        }
        assert_eq!(leftover(&folder, &tables).unwrap(), None);
        fs::write(folder.join("ministack-4566.pid"), living.id().to_string()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while leftover(&folder, &tables).unwrap().is_none() {
            assert!(Instant::now() < deadline, "the living one is not seen");
        }
        assert_eq!(leftover(&folder, &tables).unwrap(), Some(living.id()));
        assert_eq!(leftover(&folder, &folder.join("others")).unwrap(), None);
        living.kill().unwrap();
        living.wait().unwrap();
        assert_eq!(leftover(&folder, &tables).unwrap(), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
