use std::{fmt::Debug, future::Future, time::Duration};

use tokio::time::{Instant, sleep};

/// Longer than anything a test waits for should take on a loaded machine; only a failing test waits this long.
const DEADLINE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(25);

/// Looks again and again until what is seen is as wanted.
///
/// # Panics
/// With the last sight, when the deadline passes.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F, wanted: impl Fn(&T) -> bool) -> T
where
    T: Debug,
    F: Future<Output = T>,
{
    let deadline = Instant::now() + DEADLINE;
    loop {
        let seen = look().await;
        if wanted(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}; last seen: {seen:#?}");
        sleep(PAUSE).await;
    }
}
