//! `perdura-api`: serves the HTTP API, migrates the database, manages API keys.

use std::{
    io::{Write, stderr},
    process::ExitCode,
};

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // A second crypto provider in the tree must never make rustls guess; an earlier choice is as good as ours.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let Err(error) = api::run(api::Cli::parse()).await else {
        return ExitCode::SUCCESS;
    };
    // Whoever closed standard error does not want to read it.
    let _unread = writeln!(stderr(), "perdura-api: {error:#}");
    ExitCode::FAILURE
}
