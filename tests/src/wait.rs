use std::{fmt::Debug, future::Future, time::Duration};

use tokio::time::{Instant, sleep};

/// Longer than anything a test waits for should take on a loaded machine; only a failing test waits this long.
const DEADLINE: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(25);

/// Looks again and again until what is seen is as wanted.
///
/// # Panics
/// With the last sight, when the deadline passes.
pub async fn eventually<T, F>(what: &str, look: impl FnMut() -> F, wanted: impl Fn(&T) -> bool) -> T
where
    T: Debug,
    F: Future<Output = T>,
{
    let seen = within(DEADLINE, look, wanted).await;
    seen.unwrap_or_else(|last| panic!("waited in vain for {what}; last seen: {last:#?}"))
}

/// Looks again and again until what is seen is as wanted, for whoever can go on without: the error is the last sight.
pub async fn within<T, F>(patience: Duration, mut look: impl FnMut() -> F, wanted: impl Fn(&T) -> bool) -> Result<T, T>
where
    F: Future<Output = T>,
{
    let deadline = Instant::now() + patience;
    loop {
        let seen = look().await;
        if wanted(&seen) {
            return Ok(seen);
        }
        if Instant::now() >= deadline {
            return Err(seen);
        }
        sleep(PAUSE).await;
    }
}
