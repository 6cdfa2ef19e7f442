//! Only so many at once, for each name: Temporal takes only so many updates of one run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Whoever would be further back is asked to come again.
const LONGEST: usize = 64;

/// Queues that are there while somebody is in them.
pub(crate) struct Queues {
    /// How many of one queue do their work at the same time.
    at_once: usize,
    queues: Mutex<HashMap<String, Queue>>,
}

struct Queue {
    /// Fair: whoever came first is next.
    turn: Arc<Semaphore>,
    length: usize,
}

/// In a queue until it is dropped, as it is when the caller goes away.
struct Place<'a> {
    queues: &'a Queues,
    name: String,
    turn: Arc<Semaphore>,
}

impl Queues {
    pub(crate) fn new(at_once: usize) -> Self {
        Self { at_once, queues: Mutex::default() }
    }

    /// Does `work` once there is room, whoever came first being first.
    pub(crate) async fn in_turn<T>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let place = self.enter(name)?;
        let turn = place.turn.acquire().await.map_err(Problem::unforeseen)?;
        let done = work.await;
        drop(turn);
        done
    }

    fn enter(&self, name: &str) -> Result<Place<'_>, Problem> {
        let mut queues = self.queues();
        let new = || Queue { turn: Arc::new(Semaphore::new(self.at_once)), length: 0 };
        let queue = queues.entry(name.to_owned()).or_insert_with(new);
        if queue.length >= LONGEST {
            return Err(Problem::temporarily_unavailable("too many wait for the same: repeat the same request"));
        }
        queue.length += 1;
        Ok(Place { queues: self, name: name.to_owned(), turn: Arc::clone(&queue.turn) })
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queues = self.queues.queues();
        if let Some(queue) = queues.get_mut(&self.name) {
            queue.length -= 1;
            if queue.length == 0 {
                queues.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{join, task::yield_now};

    use super::*;

    #[tokio::test]
    async fn whoever_came_first_is_first() {
        let (queues, done) = (Queues::new(1), Mutex::new(Vec::new()));
        let turn = async |number: u8| {
            yield_now().await;
            done.lock().unwrap().push((number, "begins"));
            yield_now().await;
            done.lock().unwrap().push((number, "ends"));
            Ok(())
        };
        let work = async |number: u8| queues.in_turn("LN-1", turn(number)).await.unwrap();
        join!(work(1), work(2), work(3));
        let done = done.into_inner().unwrap();
        let expected: Vec<_> =
            [1, 2, 3].into_iter().flat_map(|number| [(number, "begins"), (number, "ends")]).collect();
        assert_eq!(done, expected);
        assert!(queues.queues().is_empty(), "nothing is left");
    }

    #[tokio::test]
    async fn a_queue_has_an_end_and_others_are_not_concerned() {
        let queues = Queues::new(1);
        let places: Vec<_> = (0..LONGEST).map(|_| queues.enter("LN-1").unwrap()).collect();
        assert_eq!(queues.enter("LN-1").err().unwrap().code(), "temporarily_unavailable");
        assert!(queues.in_turn("LN-2", async { Ok(()) }).await.is_ok());
        drop(places);
        assert!(queues.enter("LN-1").is_ok());
        assert!(queues.queues().is_empty());
    }
}
