//! Under what conditions the figures were taken: without them they mean nothing.

use std::{fs, thread};

use anyhow::Result;
use system_tests::TestApp;

const TEMPORAL: &str = "development server, one history shard, SQLite file with journal_mode=wal and synchronous=normal, \
                        history.{transfer,timer,visibility,outbound}ProcessorMaxPollRPS=2000, one partition per task queue";

const OUTSIDE: &str =
    "Mambu, CIAM, Vendron and the address service: the sandbox; DynamoDB and S3: MiniStack; all of them over HTTP";

/// What has to stand beside the figures.
pub(crate) async fn conditions(app: &TestApp, rounds: usize) -> Result<Vec<(&'static str, String)>> {
    let database = app.database().await;
    let version: String = sqlx::query_scalar("show server_version").fetch_one(&database).await?;
    let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&database).await?;
    let profile = if cfg!(debug_assertions) { "DEBUG: these figures mean nothing" } else { "release" };
    Ok(vec![
        ("programs", profile.to_owned()),
        ("processor", format!("{} x {}", thread::available_parallelism()?, processor())),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("load average at the end", load_average()),
        ("Temporal", TEMPORAL.to_owned()),
        ("Postgres", format!("{version}, fsync={fsync}")),
        ("outside", OUTSIDE.to_owned()),
        ("network", "loopback, HTTP/1.1 with connections kept, the driver on the same machine".to_owned()),
        ("rounds", rounds.to_string()),
    ])
}

/// How busy the machine is.
pub(crate) fn load_average() -> String {
    read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn processor() -> String {
    let described = read("/proc/cpuinfo");
    let model = described.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "unknown".to_owned(), |(_, model)| model.to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}
