use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

use crate::child::{guarded, succeeds};

const MAP: [&str; 3] = ["--user", "--map-user=1000", "--map-group=1000"];
/// The ids of `nobody` and `nogroup`.
const NOBODY: u32 = 65_534;

/// Whom Postgres runs as: it refuses to run as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// Ourselves, who are not root.
    Own,
    /// Root, who looks like an ordinary user in a namespace; the files stay root's.
    Mapped,
    /// The user `nobody`, where namespaces are refused.
    Nobody,
}

impl Account {
    pub(crate) fn choose() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        if succeeds("unshare", &[MAP[0], MAP[1], MAP[2], "true"]) {
            return Ok(Self::Mapped);
        }
        if succeeds("setpriv", &["--reuid=65534", "--regid=65534", "--clear-groups", "true"]) {
            return Ok(Self::Nobody);
        }
        bail!(
            "Postgres does not run as root, and neither unshare nor setpriv (util-linux) works here: run this as an ordinary user."
        )
    }

    /// The program under this account. What ties its life to ours is innermost: a change of user would undo it.
    pub(crate) fn command(self, program: &Path, signal: &str) -> Command {
        let inner = guarded(program, signal);
        let mut outer = match self {
            Self::Own => return inner,
            Self::Mapped => Command::new("unshare"),
            Self::Nobody => Command::new("setpriv"),
        };
        match self {
            Self::Nobody => outer.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]),
            _ => outer.args(MAP).arg("--"),
        };
        outer.arg(inner.get_program()).args(inner.get_args());
        outer
    }

    /// Lets the account write the file or folder, and checks that it can reach it.
    pub(crate) fn give(self, path: &Path) -> Result<()> {
        if self != Self::Nobody {
            return Ok(());
        }
        chown(path, Some(NOBODY), Some(NOBODY)).with_context(|| format!("cannot give {} to nobody", path.display()))?;
        let absolute = fs::canonicalize(path)?;
        let reach = ["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-e", &absolute.to_string_lossy()];
        if !succeeds("setpriv", &reach) {
            bail!(
                "Postgres does not run as root, user namespaces are refused here, and the user nobody cannot reach {}: \
                 run this as an ordinary user, or from a checkout that everybody may enter.",
                path.display(),
            );
        }
        Ok(())
    }
}
