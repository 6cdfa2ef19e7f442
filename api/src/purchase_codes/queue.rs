//! One after the other, for each name: Temporal takes only so many updates of one run at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Whoever would be further back is asked to come again.
const LONGEST: usize = 64;

/// Queues that are there while somebody is in them.
#[derive(Default)]
pub(super) struct Queues(Mutex<HashMap<String, Queue>>);

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
    /// Does `work` once everybody who came before is done.
    pub(super) async fn in_turn<T>(
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
        let new = || Queue { turn: Arc::new(Semaphore::new(1)), length: 0 };
        let queue = queues.entry(name.to_owned()).or_insert_with(new);
        if queue.length >= LONGEST {
            return Err(Problem::temporarily_unavailable(
                "too many wait for the same: repeat the request with its key",
            ));
        }
        queue.length += 1;
        Ok(Place { queues: self, name: name.to_owned(), turn: Arc::clone(&queue.turn) })
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (queues, done) = (Queues::default(), Mutex::new(Vec::new()));
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
        let queues = Queues::default();
        let places: Vec<_> = (0..LONGEST).map(|_| queues.enter("LN-1").unwrap()).collect();
        assert_eq!(queues.enter("LN-1").err().unwrap().code(), "temporarily_unavailable");
        assert!(queues.in_turn("LN-2", async { Ok(()) }).await.is_ok());
        drop(places);
        assert!(queues.enter("LN-1").is_ok());
        assert!(queues.queues().is_empty());
    }
}
