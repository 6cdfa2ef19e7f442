//! Settings: each is a flag and an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::FixedOffset;
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
    /// File whose first line is the key that Mambu's callers must show; without it any key is taken.
    #[arg(long, env = "PERDURA_SANDBOX_MAMBU_KEY_FILE")]
    pub mambu_key_file: Option<PathBuf>,
    /// File whose first line is the bearer key that CIAM's callers must show; without it any key is taken.
    #[arg(long, env = "PERDURA_SANDBOX_CIAM_KEY_FILE")]
    pub ciam_key_file: Option<PathBuf>,
    /// File whose first line is the `public_api_token` that Vendron's clients must show; without it any is taken.
    #[arg(long, env = "PERDURA_SANDBOX_VENDRON_TOKEN_FILE")]
    pub vendron_token_file: Option<PathBuf>,
    /// Offset from UTC of the organisation whose Mambu this is: its dates are written in it, its days end by it.
    #[arg(long, env = "PERDURA_SANDBOX_ORGANISATION_OFFSET", default_value = "-06:00", allow_hyphen_values = true)]
    pub organisation_offset: FixedOffset,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organisation_is_six_hours_behind_unless_told_otherwise() {
        let offset = |arguments: &[&str]| Settings::try_parse_from(arguments).unwrap().organisation_offset;
        assert_eq!(offset(&["sandbox"]).local_minus_utc(), -6 * 3600);
        assert_eq!(offset(&["sandbox", "--organisation-offset", "-05:30"]).local_minus_utc(), -(5 * 3600 + 1800));
        assert_eq!(offset(&["sandbox", "--organisation-offset=+00:00"]).local_minus_utc(), 0);
    }
}
