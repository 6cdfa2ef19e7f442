use std::fs;
use std::net::TcpListener;

use anyhow::Result;

use crate::Part;
use crate::blueprint::Blueprint;
use crate::ports::claim_slot;
use crate::process::Process;
use crate::ready::{Probe, until_ready};

/// A second API on the same servers, on a port of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct Replica {
    url: String,
    _process: Process,
    /// Held, so that no stack takes the port.
    _slot: TcpListener,
}

impl Replica {
    pub(crate) async fn start(blueprint: &Blueprint) -> Result<Self> {
        let (slot, ports) = claim_slot()?;
        let (port, logs) = (ports.start, blueprint.state.path(&format!("logs/{}", ports.start)));
        fs::create_dir_all(&logs)?;
        let mut command = blueprint.command(Part::Api)?;
        command.env("PERDURA_LISTEN", format!("127.0.0.1:{port}")).env_remove("PERDURA_OPEN_CODEC_LISTEN");
        let process = Process::new(Part::Api, &logs);
        process.spawn(command)?;
        until_ready(&process, &Probe::Http { port, path: "/readyz" }).await?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), _process: process, _slot: slot })
    }

    /// Base URL.
    pub fn url(&self) -> &str {
        &self.url
    }
}
