use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::blueprint::Blueprint;
use crate::child::output_of;
use crate::ready::Probe;
use crate::secrets::POSTGRES_PASSWORD;
use crate::tools::major_version;

const USER: &str = "perdura";
const DATABASE: &str = "postgres";
/// How long a server of a run that was killed may take to shut down.
const LEFTOVER: Duration = Duration::from_secs(15);

pub(crate) fn database_url(blueprint: &Blueprint) -> Result<String> {
    let password = blueprint.secrets.read(POSTGRES_PASSWORD)?;
    Ok(format!("postgres://{USER}:{password}@127.0.0.1:{}/{DATABASE}", blueprint.ports().postgres))
}

pub(crate) fn probe(blueprint: &Blueprint) -> Probe {
    Probe::PidFile(data(blueprint).join("postmaster.pid"))
}

fn data(blueprint: &Blueprint) -> PathBuf {
    blueprint.state.path("postgres")
}

/// Makes the database folder unless it is there, and clears what a killed server left.
pub(crate) fn prepare(blueprint: &Blueprint) -> Result<()> {
    let folder = data(blueprint);
    if !folder.exists() {
        return create(blueprint, &folder);
    }
    check_version(blueprint, &folder)?;
    clear_pid_file(&folder)
}

fn create(blueprint: &Blueprint, folder: &Path) -> Result<()> {
    // A run that is ended in the middle leaves this folder, never a database that is half made.
    let part = folder.with_added_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    let account = blueprint.account;
    fs::create_dir(&part)?;
    account.give(&part)?;
    let password = blueprint.state.path("postgres.password.part");
    fs::copy(blueprint.secrets.path(POSTGRES_PASSWORD), &password)?;
    account.give(&password)?;
    let mut command = account.command(&blueprint.tools.initdb, "KILL");
    command.arg("--pgdata").arg(&part).arg("--pwfile").arg(&password).arg(format!("--username={USER}"));
    command.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
    if !blueprint.settings.is_local() {
        command.arg("--no-sync");
    }
    command.current_dir(blueprint.state.folder());
    let made = output_of(command, "initdb, which makes the database,", Duration::from_mins(2));
    fs::remove_file(&password)?;
    made?;
    // The keys of an earlier database are of no use in this one.
    blueprint.secrets.forget_api_keys()?;
    Ok(fs::rename(&part, folder)?)
}

fn check_version(blueprint: &Blueprint, folder: &Path) -> Result<()> {
    let file = folder.join("PG_VERSION");
    let made_by = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let program = major_version(&blueprint.tools.postgres)?;
    if made_by.trim() != program.to_string() {
        bail!(
            "The database in {} was made by PostgreSQL {}, and {} is version {program}: name the other version's folder in \
             PERDURA_POSTGRES_BIN, or start over with --fresh.",
            folder.display(),
            made_by.trim(),
            blueprint.tools.postgres.display(),
        );
    }
    Ok(())
}

pub(crate) fn command(blueprint: &Blueprint) -> Command {
    // On SIGINT Postgres ends its clients and shuts down in order.
    let mut command = blueprint.account.command(&blueprint.tools.postgres, "INT");
    command.arg("-D").arg(data(blueprint)).arg("-p").arg(blueprint.ports().postgres.to_string());
    let mut settings =
        vec!["listen_addresses=127.0.0.1", "unix_socket_directories=", "timezone=UTC", "log_timezone=UTC"];
    if !blueprint.settings.is_local() {
        // Only a crash of the whole machine could lose data by this, and no test outlives that.
        settings.push("fsync=off");
        // Servers that are killed leave their shared memory behind: better in the state folder than in the machine's.
        settings.push("dynamic_shared_memory_type=mmap");
    }
    for setting in settings {
        command.args(["-c", setting]);
    }
    command
}

/// What runs under the process id in a pid file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occupant {
    Nobody,
    Zombie,
    /// A server of this very database folder.
    Server,
    Stranger,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Start,
    /// The file is stale: Postgres would refuse to start, or take a zombie or a stranger for a server.
    RemoveFile,
    WaitFor(i32),
}

fn judge(pid_file: Option<&str>, occupant: impl Fn(i32) -> Occupant) -> Verdict {
    let Some(content) = pid_file else { return Verdict::Start };
    let pid = content.lines().next().and_then(|line| line.trim().parse().ok());
    match pid {
        Some(pid) if pid > 0 && occupant(pid) == Occupant::Server => Verdict::WaitFor(pid),
        _ => Verdict::RemoveFile,
    }
}

/// We hold the lock of the state folder, so a server that is still there belongs to a run that was killed.
fn clear_pid_file(folder: &Path) -> Result<()> {
    if !Path::new("/proc/self").exists() {
        return Ok(());
    }
    let file = folder.join("postmaster.pid");
    let deadline = Instant::now() + LEFTOVER;
    loop {
        match judge(fs::read_to_string(&file).ok().as_deref(), |pid| occupant(pid, folder)) {
            Verdict::Start => return Ok(()),
            Verdict::RemoveFile => return remove(&file),
            Verdict::WaitFor(pid) if Instant::now() >= deadline => {
                bail!(
                    "Postgres of an earlier run still uses {} (process {pid}): end it with kill {pid}.",
                    folder.display()
                )
            }
            Verdict::WaitFor(pid) => ask_to_end(pid),
        }
        sleep(Duration::from_millis(100));
    }
}

fn ask_to_end(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may end by itself at this moment.
        let _ = kill_process(pid, Signal::INT);
    }
}

/// The server removes its own file at its end, maybe just now.
fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn occupant(pid: i32, folder: &Path) -> Occupant {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return Occupant::Nobody;
    };
    // The program's name stands in brackets and may hold anything; the state is the first word after it.
    let state = status.rsplit_once(") ").map_or("", |(_, rest)| rest);
    if state.starts_with(['Z', 'X']) {
        return Occupant::Zombie;
    }
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let folder = folder.as_os_str().as_encoded_bytes();
    let ours = arguments.split(|byte| *byte == 0).any(|argument| argument == folder);
    if ours { Occupant::Server } else { Occupant::Stranger }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_counts_only_while_its_server_lives() {
        let file = Some("4711\n/data\n");
        assert_eq!(judge(None, |_| Occupant::Server), Verdict::Start);
        assert_eq!(judge(file, |_| Occupant::Server), Verdict::WaitFor(4711));
        for gone in [Occupant::Nobody, Occupant::Zombie, Occupant::Stranger] {
            assert_eq!(judge(file, |_| gone), Verdict::RemoveFile);
        }
    }

    #[test]
    fn a_pid_file_without_a_pid_is_stale() {
        for broken in ["", "\n", "x\n", "-1\n", "0\n"] {
            assert_eq!(judge(Some(broken), |_| Occupant::Server), Verdict::RemoveFile, "{broken:?}");
        }
    }

    #[test]
    fn a_process_is_told_from_a_server_of_the_folder() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(occupant(own, Path::new("/no/such/folder")), Occupant::Stranger);
        let mut ended = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(ended.id()).unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        while occupant(pid, Path::new("/data")) != Occupant::Zombie && Instant::now() < deadline {
            sleep(Duration::from_millis(10));
        }
        assert_eq!(occupant(pid, Path::new("/data")), Occupant::Zombie);
        ended.wait().unwrap();
        assert_eq!(occupant(pid, Path::new("/data")), Occupant::Nobody);
    }
}
