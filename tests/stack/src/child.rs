//! Starting a program so that it never outlives this one.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const POLL: Duration = Duration::from_millis(10);

type Job = (Command, Sender<io::Result<Child>>);

/// A command that the kernel ends with `signal` when this program is gone, even after a kill -9. Linux only; elsewhere,
/// and where util-linux is missing, a plain command.
pub(crate) fn guarded(program: impl AsRef<OsStr>, signal: &str) -> Command {
    if !can_guard() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal, "--"]).arg(program);
    command
}

fn can_guard() -> bool {
    static CAN_GUARD: OnceLock<bool> = OnceLock::new();
    *CAN_GUARD.get_or_init(|| succeeds("setpriv", &["--pdeathsig", "KILL", "--", "true"]))
}

/// Whether a short probe of the machine ends well; a program that is missing does not.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Starts the command from a thread that lives as long as the program: the kernel ties a guarded child to the thread that
/// started it, and the threads of a test or of a runtime end early.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, reply) in jobs {
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, answer) = mpsc::channel();
    let gone = |_| io::Error::other("the thread that starts programs has ended");
    spawner.send((command, reply)).map_err(|_| gone(mpsc::RecvError))?;
    answer.recv().map_err(gone)?
}

/// Runs a short program to its end and gives its standard output; `what` names it in errors, which show its messages.
pub(crate) fn output_of(command: Command, what: &str, limit: Duration) -> Result<String> {
    answer_of(command, "", what, limit)
}

/// The same of a program that is told something short on its standard input.
pub(crate) fn answer_of(mut command: Command, input: &str, what: &str, limit: Duration) -> Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command).with_context(|| format!("{what} did not start"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever does not read it says by its end what went wrong.
        let _ = stdin.write_all(input.as_bytes());
    }
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let Some(status) = wait(&mut child, limit)? else {
        child.kill().and_then(|()| child.wait())?;
        bail!("{what} did not end within {} s", limit.as_secs());
    };
    let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
    if status.success() {
        return Ok(stdout);
    }
    bail!("{what} failed ({status}):\n{}", last_lines(&format!("{stdout}{stderr}"), 20));
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that breaks has given what it had.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= deadline {
            return Ok(status);
        }
        thread::sleep(POLL);
    }
}

/// The last lines of a text, each indented by two spaces.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines.len().saturating_sub(count);
    lines[shown..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_keeps_the_end() {
        assert_eq!(last_lines("a\n\nb\nc\n", 2), "  b\n  c");
        assert_eq!(last_lines("", 2), "");
    }

    #[test]
    fn output_of_shows_what_a_failing_program_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo went wrong >&2; exit 3"]);
        let error = output_of(command, "the probe", Duration::from_mins(1)).unwrap_err().to_string();
        assert!(error.contains("the probe failed (exit status: 3)"), "{error}");
        assert!(error.contains("went wrong"), "{error}");
    }

    #[test]
    fn answer_of_tells_the_program_what_it_asks_for() {
        let answer = answer_of(Command::new("cat"), "a secret\n", "the probe", Duration::from_mins(1)).unwrap();
        assert_eq!(answer, "a secret\n");
    }

    #[test]
    fn output_of_ends_a_program_that_hangs() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let error = output_of(command, "the probe", Duration::from_millis(50)).unwrap_err().to_string();
        assert!(error.contains("did not end within"), "{error}");
    }
}
