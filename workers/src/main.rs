//! `perdura-worker`: runs the workflows and activities of one or more processes.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    workers::start().await
}
