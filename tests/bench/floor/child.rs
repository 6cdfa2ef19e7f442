use std::{
    env,
    io::{Read, stdin},
    process::{Stdio, exit},
    thread,
};

use anyhow::{Context, Result, anyhow};
use system_tests::TestApp;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::rows;

/// The floor's two processes.
pub(crate) struct Floor {
    api: Child,
    worker: Child,
    url: String,
}

impl Floor {
    /// Starts both against the servers of `app`.
    pub(crate) async fn start(app: &TestApp) -> Result<Self> {
        rows::make(app.stack().database_url()).await?;
        let worker = command(app, "floor-worker")?.spawn()?;
        let mut api = command(app, "floor-api")?.stdout(Stdio::piped()).spawn()?;
        let printed = api.stdout.take().context("the floor prints nothing")?;
        let port = BufReader::new(printed).lines().next_line().await?.ok_or_else(|| anyhow!("the floor has ended"))?;
        Ok(Self { api, worker, url: format!("http://127.0.0.1:{port}") })
    }

    /// A URL of the floor.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Process ids of the one that answers and the one that works.
    pub(crate) fn pids(&self) -> Result<[u32; 2]> {
        let pid = |child: &Child| child.id().context("a process of the floor has ended");
        Ok([pid(&self.api)?, pid(&self.worker)?])
    }
}

fn command(app: &TestApp, subcommand: &str) -> Result<Command> {
    let stack = app.stack();
    let mut command = Command::new(env::current_exe()?);
    command
        .arg(subcommand)
        .env("PERDURA_DATABASE_URL", stack.database_url())
        .env("TEMPORAL_ADDRESS", stack.temporal_address())
        .env("TEMPORAL_NAMESPACE", stack.temporal_namespace())
        .env("PERDURA_CODEC_KEYS_FILE", stack.secrets_dir().join("codec.keys"))
        .stdin(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Ends this process when whoever holds the other end of its standard input is gone, even after a kill -9.
pub(super) fn end_with_parent() {
    thread::spawn(|| {
        let _gone = stdin().lock().read_to_end(&mut Vec::new());
        exit(0);
    });
}
