//! Settings: each is a flag and an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Plays the outside systems that Perdura works with, over real HTTP.
#[derive(Debug, Clone, Parser)]
#[command(name = "perdura-sandbox", version)]
pub struct Settings {
    /// Address to listen on; anybody who reaches it can do everything, so keep it local.
    #[arg(long, env = "PERDURA_SANDBOX_LISTEN", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
    /// Base URL of the API that deposits are reported to; without it nothing is reported.
    #[arg(long, env = "PERDURA_SANDBOX_API_URL", requires_all = ["watcher_key_file", "watcher_secret_file"])]
    pub api_url: Option<String>,
    /// File with the bearer key of the watcher.
    #[arg(long, env = "PERDURA_SANDBOX_WATCHER_KEY_FILE")]
    pub watcher_key_file: Option<PathBuf>,
    /// File whose first line is the secret (`whsec_…`) that signs reports.
    #[arg(long, env = "PERDURA_SANDBOX_WATCHER_SECRET_FILE")]
    pub watcher_secret_file: Option<PathBuf>,
    /// Folder that keeps the state across restarts; without it the state is in memory alone.
    #[arg(long, env = "PERDURA_SANDBOX_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}
