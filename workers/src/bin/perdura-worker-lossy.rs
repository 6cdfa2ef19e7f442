//! `perdura-worker-lossy`: the worker with a relay that loses what it has taken, and with sales that ask for a door again
//! when they are taken over, for the negative control of the crash sweep.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    workers::start().await
}
