//! A stack of its own for a program that is not written in Rust: tells where everything is, and runs until its standard
//! input ends.

use std::io::{Read, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;
use stack::{Part, Settings, Stack};
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;

/// Starts an isolated stack, prints one line of JSON with its URLs and keys, and stops it when standard input ends.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// An environment variable for the API; can be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    api_env: Vec<String>,
}

impl Arguments {
    fn settings(&self) -> Result<Settings> {
        let pairs = self.api_env.iter().map(|pair| pair.split_once('=').ok_or_else(|| anyhow!("{pair} has no =")));
        pairs.into_iter().try_fold(Settings::isolated(), |settings, pair| {
            let (name, value) = pair?;
            Ok(settings.env(Part::Api, name, value))
        })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(&arguments)));
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Nobody is left to be told when the terminal is gone.
    let _ = writeln!(stderr().lock(), "{error:#}");
    ExitCode::FAILURE
}

async fn run(arguments: &Arguments) -> Result<()> {
    let stack = Stack::start(arguments.settings()?).await?;
    writeln!(stdout().lock(), "{}", serde_json::to_string(stack.demo())?)?;
    spawn_blocking(|| stdin().read_to_end(&mut Vec::new())).await??;
    stack.stop().await
}
