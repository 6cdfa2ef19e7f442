//! What a process has to bring to be swept.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};

use crate::violation::Violation;

/// A process of Perdura under the sweep: its work, its memory of what was acknowledged, and its promises.
pub(crate) trait Process: Send + Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Asks for work again and again until it is `over`, and remembers every answer. What was begun is seen through.
    fn load<'a>(&'a self, seed: u64, over: &'a Over) -> BoxFuture<'a, ()>;

    /// Begins something, while all is well, that a worker without its guard is going to lose.
    fn lay_stake(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    /// While Temporal is away: goes on with it until the worker has in hand what it may lose.
    fn risk_stake(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    /// Lets the outside world come to rest: faults are mended, what was paid is confirmed.
    fn wind_down(&self) -> BoxFuture<'_, ()>;

    /// What still moves, in words; nothing when all is at rest.
    fn moves(&self) -> BoxFuture<'_, Option<String>>;

    /// Holds what was acknowledged, what happened outside and what is kept against each other.
    fn check(&self) -> BoxFuture<'_, Vec<Violation>>;

    /// How many pieces of work were acknowledged.
    fn work_done(&self) -> usize;
}

/// Tells the load that the killing is over.
#[derive(Default)]
pub(crate) struct Over(AtomicBool);

impl Over {
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
