use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::{sleep, timeout};

use crate::http;
use crate::process::Process;

const POLL: Duration = Duration::from_millis(20);
const ANSWER: Duration = Duration::from_secs(2);
/// A program tries again and again what it needs from another part, ever less often.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a part shows that it can be used.
#[derive(Debug)]
pub(crate) enum Probe {
    /// `GET` answers 200 on the loopback.
    Http { port: u16, path: &'static str },
    /// Postgres writes `ready` into its pid file, under the pid of the child itself.
    PidFile(PathBuf),
}

/// Waits until the part can be used; an error when it ends first or takes longer than anything should.
pub(crate) async fn until_ready(process: &Process, probe: &Probe) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if is_ready(process, probe).await {
            return Ok(());
        }
        if let Some(status) = process.exit_status()? {
            bail!(process.failure(&format!("ended before it was ready ({status})")));
        }
        if Instant::now() >= deadline {
            bail!(process.failure(&format!("runs, but was not ready within {} s", PATIENCE.as_secs())));
        }
        sleep(POLL).await;
    }
}

async fn is_ready(process: &Process, probe: &Probe) -> bool {
    match probe {
        // A stranger may answer on the port when the part itself could not listen: it must be running, too.
        Probe::Http { port, path } => answers(*port, path).await && process.is_running(),
        Probe::PidFile(file) => {
            let pid = process.pid().map(|pid| pid.as_raw_nonzero().get());
            fs::read_to_string(file).is_ok_and(|content| pid.is_some_and(|pid| says_ready(&content, pid)))
        }
    }
}

async fn answers(port: u16, path: &str) -> bool {
    matches!(timeout(ANSWER, http::get(port, path)).await, Ok(Ok(200)))
}

/// Lines of `postmaster.pid`: the first is the pid, the eighth the status.
fn says_ready(content: &str, pid: i32) -> bool {
    let mut lines = content.lines();
    let same = lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid);
    same && lines.nth(6).is_some_and(|status| status.trim() == "ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = "4711\n/data\n1795300000\n5433\n\n127.0.0.1\n   131\nready   \n";

    #[test]
    fn postgres_is_ready_under_its_own_pid_only() {
        assert!(says_ready(RUNNING, 4711));
        assert!(!says_ready(RUNNING, 4712));
        assert!(!says_ready(&RUNNING.replace("ready   ", "starting"), 4711));
        assert!(!says_ready("4711\n/data\n", 4711));
        assert!(!says_ready("", 4711));
    }
}
