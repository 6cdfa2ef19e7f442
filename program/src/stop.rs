use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Waits until the service is told to stop: SIGTERM from a supervisor, SIGINT from a person.
pub async fn stop_signal() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
