use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::Part;
use crate::child::{last_lines, spawn};

const POLL: Duration = Duration::from_millis(20);
/// For those that must not be killed, when a stack is dropped.
const LAST_GRACE: Duration = Duration::from_secs(5);
const TAIL_BYTES: u64 = 64 * 1024;

/// One long-running child and its log file. It can be started again after it has ended.
#[derive(Debug)]
pub(crate) struct Process {
    part: Part,
    log: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// A part that is not started yet; the log of an earlier run is kept beside as `<part>.previous.log`.
    pub(crate) fn new(part: Part, logs: &Path) -> Self {
        let log = logs.join(format!("{part}.log"));
        // The first run has no log to keep.
        let _ = fs::rename(&log, logs.join(format!("{part}.previous.log")));
        Self { part, log, child: Mutex::new(None) }
    }

    pub(crate) fn spawn(&self, mut command: Command) -> Result<()> {
        let mut child = self.child();
        if child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None))) {
            bail!("{} is running already", self.part);
        }
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let program = command.get_program().to_owned();
        let started = spawn(command).with_context(|| format!("cannot start {} ({})", self.part, program.display()))?;
        *child = Some(started);
        Ok(())
    }

    /// How it ended; nothing while it runs or was never started.
    pub(crate) fn exit_status(&self) -> Result<Option<ExitStatus>> {
        Ok(self.child().as_mut().map(Child::try_wait).transpose()?.flatten())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// The process id, while it runs.
    pub(crate) fn pid(&self) -> Option<Pid> {
        let mut child = self.child();
        let child = child.as_mut()?;
        matches!(child.try_wait(), Ok(None)).then(|| Pid::from_child(child))
    }

    /// SIGKILL, and takes its exit status, so that no zombie is left. Fine when it has ended already.
    pub(crate) fn kill(&self) -> io::Result<()> {
        let own_children = self.pid().map(children).unwrap_or_default();
        let mut child = self.child();
        let Some(child) = child.as_mut() else { return Ok(()) };
        child.kill()?;
        child.wait()?;
        for orphan in own_children {
            // A busy backend of Postgres would go on, and keep the next server from starting.
            let _ = kill_process(orphan, Signal::KILL);
        }
        Ok(())
    }

    /// Asks it to end and waits; when it does not, it is killed and that is an error.
    pub(crate) async fn terminate(&self, limit: Duration) -> Result<ExitStatus> {
        let asked = self.ask_to_end()?;
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.exit_status()? {
                return Ok(status);
            }
            if !asked {
                bail!("{} was not started", self.part);
            }
            if Instant::now() >= deadline {
                self.kill()?;
                bail!("{} did not end within {} s of being asked to, and was killed", self.part, limit.as_secs());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn ask_to_end(&self) -> io::Result<bool> {
        // To Postgres, SIGTERM means to wait until every client has gone.
        let signal = if self.part == Part::Postgres { Signal::INT } else { Signal::TERM };
        let Some(pid) = self.pid() else { return Ok(false) };
        kill_process(pid, signal)?;
        Ok(true)
    }

    /// Everything that it wrote since the stack was started.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    pub(crate) fn tail(&self) -> String {
        let text = read_end(&self.log).unwrap_or_default();
        match last_lines(&text, 20) {
            lines if lines.is_empty() => format!("  ({} is empty)", self.log.display()),
            lines => format!("The end of {}:\n{lines}", self.log.display()),
        }
    }

    /// The error of a part that cannot be used: what happened, and the end of its log.
    pub(crate) fn failure(&self, what: &str) -> anyhow::Error {
        anyhow!("{} {what}. {}", self.part, self.tail())
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killed, Postgres would leave its shared memory behind, and MiniStack would forget.
        if matches!(self.part, Part::Postgres | Part::Aws) && matches!(self.ask_to_end(), Ok(true)) {
            let deadline = Instant::now() + LAST_GRACE;
            while self.is_running() && Instant::now() < deadline {
                thread::sleep(POLL);
            }
        }
        let _ = self.kill();
    }
}

/// Those that the process started itself; none where the kernel does not tell.
fn children(pid: Pid) -> Vec<Pid> {
    let pid = pid.as_raw_nonzero();
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)).collect()
}

fn read_end(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
