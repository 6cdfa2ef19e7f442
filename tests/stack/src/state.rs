use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

/// What survives `--fresh`: the downloaded tools, and the lock that is being held.
const KEPT: [&str; 2] = ["tools", "lock"];

/// A folder with everything that a stack keeps, locked as long as this lives.
#[derive(Debug)]
pub(crate) struct State {
    folder: PathBuf,
    _lock: File,
}

impl State {
    /// The folder of `cargo dev`, `.perdura/`, for one run at a time.
    pub(crate) fn local(root: &Path, fresh: bool) -> Result<Self> {
        let folder = root.join(".perdura");
        own(&folder)?;
        let Some(mut lock) = take_lock(&folder)? else {
            let holder = fs::read_to_string(folder.join("lock")).unwrap_or_default();
            bail!("cargo dev is running on this checkout already (process {}): stop that one first.", holder.trim());
        };
        lock.set_len(0)?;
        writeln!(lock, "{}", process::id())?;
        if fresh {
            wipe(&folder).with_context(|| format!("cannot wipe {}", folder.display()))?;
        }
        Self::open(folder, lock)
    }

    /// A new folder below `home`; those of runs that are over are removed first.
    pub(crate) fn isolated(home: &Path) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        own(home)?;
        // One at a time: a folder without a held lock may be one that is just being made.
        let gate = File::create(home.join("lock"))?;
        gate.lock()?;
        remove_dead(home)?;
        let folder = home.join(format!("{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&folder)?;
        match take_lock(&folder)? {
            Some(lock) => Self::open(folder, lock),
            None => bail!("{} is in use by another run", folder.display()),
        }
    }

    fn open(folder: PathBuf, lock: File) -> Result<Self> {
        // Logs are for their owner, as the secrets are.
        DirBuilder::new().recursive(true).mode(0o700).create(folder.join("logs"))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Makes the folder; one that another user made is refused, since that user's files cannot be used.
pub(crate) fn own(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (owner, user) = (fs::metadata(folder)?.uid(), geteuid().as_raw());
    if owner != user {
        bail!(
            "{folder} belongs to another user (id {owner}; this is {user}). Run as that user, remove the folder, \
             or take it over: sudo chown -R {user} {folder}",
            folder = folder.display(),
        );
    }
    Ok(())
}

/// Nothing when another process holds the lock.
fn take_lock(folder: &Path) -> Result<Option<File>> {
    let path = folder.join("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = open.with_context(|| format!("cannot open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

fn wipe(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if KEPT.iter().any(|kept| entry.file_name() == *kept) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn remove_dead(home: &Path) -> Result<()> {
    for entry in fs::read_dir(home)? {
        let folder = entry?.path();
        if folder.is_dir() && take_lock(&folder)?.is_some() {
            // A server that is still shutting down may write while this removes: the next run finishes the job.
            let _ = fs::remove_dir_all(folder);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::*;

    /// A program that another test starts has our locks, too, until it is one: what needs one of them may take a while.
    fn in_the_end<T>(attempt: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(done) = attempt() {
                return done;
            }
            assert!(Instant::now() < deadline, "a lock is not let go");
            sleep(Duration::from_millis(10));
        }
    }

    fn home(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("stack-state-{name}-{}", process::id()))
    }

    #[test]
    fn folders_of_live_runs_stay_and_dead_ones_go() {
        let home = home("dead");
        let dead = State::isolated(&home).unwrap().folder().to_owned();
        let live = State::isolated(&home).unwrap();
        in_the_end(|| {
            let next = State::isolated(&home).unwrap();
            assert!(live.folder().exists() && next.folder().exists());
            (!dead.exists()).then_some(())
        });
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_second_local_run_is_told_who_runs() {
        let root = home("second");
        let first = State::local(&root, false).unwrap();
        let error = State::local(&root, false).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", process::id())), "{error}");
        drop(first);
        in_the_end(|| State::local(&root, false).ok());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn fresh_keeps_the_tools_only() {
        let root = home("fresh");
        let state = State::local(&root, false).unwrap();
        fs::create_dir_all(state.path("tools/x")).unwrap();
        fs::create_dir_all(state.path("postgres")).unwrap();
        fs::write(state.path("demo.json"), "{}").unwrap();
        drop(state);
        let state = in_the_end(|| State::local(&root, true).ok());
        assert!(state.path("tools/x").exists());
        assert!(!state.path("postgres").exists() && !state.path("demo.json").exists());
        fs::remove_dir_all(root).unwrap();
    }
}
