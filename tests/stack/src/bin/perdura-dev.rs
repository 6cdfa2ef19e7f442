//! `cargo dev`: the whole product on this machine, until Ctrl-C.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use stack::{Ports, Settings, Stack, screen, supervise, workspace_root};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Starts Postgres, Temporal, DynamoDB and S3, the sandbox, the API and the worker, and stops them with Ctrl-C. The state stays in .perdura/.
#[derive(Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version)]
struct Arguments {
    /// Begin with an empty .perdura/; the downloaded tools are kept
    #[arg(long)]
    fresh: bool,
    /// Port of the API
    #[arg(long, env = "PERDURA_API_PORT", default_value_t = Ports::default().api)]
    api_port: u16,
    /// Port of the sandbox
    #[arg(long, env = "PERDURA_SANDBOX_PORT", default_value_t = Ports::default().sandbox)]
    sandbox_port: u16,
    /// Port that decodes payloads for the Temporal UI
    #[arg(long, env = "PERDURA_CODEC_PORT", default_value_t = Ports::default().codec)]
    codec_port: u16,
    /// Port of the worker's health
    #[arg(long, env = "PERDURA_WORKER_PORT", default_value_t = Ports::default().worker)]
    worker_port: u16,
    /// Port of Temporal's gRPC
    #[arg(long, env = "PERDURA_TEMPORAL_PORT", default_value_t = Ports::default().temporal)]
    temporal_port: u16,
    /// Port of Temporal's UI
    #[arg(long, env = "PERDURA_UI_PORT", default_value_t = Ports::default().ui)]
    ui_port: u16,
    /// Port of Postgres
    #[arg(long, env = "PERDURA_POSTGRES_PORT", default_value_t = Ports::default().postgres)]
    postgres_port: u16,
    /// Port of DynamoDB and S3
    #[arg(long, env = "PERDURA_AWS_PORT", default_value_t = Ports::default().aws)]
    aws_port: u16,
}

impl Arguments {
    fn settings(&self) -> Settings {
        let ports = Ports {
            api: self.api_port,
            sandbox: self.sandbox_port,
            codec: self.codec_port,
            worker: self.worker_port,
            temporal: self.temporal_port,
            ui: self.ui_port,
            postgres: self.postgres_port,
            aws: self.aws_port,
        };
        Settings::local(workspace_root()).ports(ports).fresh(self.fresh)
    }
}

fn main() -> ExitCode {
    let settings = Arguments::parse().settings();
    let outcome = Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let outcome = runtime.block_on(run(settings));
        // A download or a build that was interrupted ends by itself; nobody waits for it.
        runtime.shutdown_background();
        outcome
    });
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Nobody is left to be told when the terminal is gone.
    let _ = writeln!(stderr().lock(), "{error:#}");
    ExitCode::FAILURE
}

async fn run(settings: Settings) -> Result<()> {
    let mut interrupts = Interrupts::listen()?;
    let stack = tokio::select! {
        stack = Stack::start(settings) => stack?,
        () = interrupts.next() => return Ok(()),
    };
    write!(stdout().lock(), "{}", screen(&stack))?;
    let outcome = tokio::select! {
        outcome = supervise(&stack) => outcome,
        () = interrupts.next() => Ok(()),
    };
    writeln!(stderr().lock(), "\nStopping …")?;
    tokio::select! {
        stopped = stack.stop() => outcome.and(stopped),
        () = interrupts.next() => outcome,
    }
}

/// Ctrl-C, SIGTERM, and the end of the terminal.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupts {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
