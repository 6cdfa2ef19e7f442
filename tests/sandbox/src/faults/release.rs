//! Lets go of whoever a fault holds.

use tokio::sync::watch;

/// The texts of the faults that were let go, oldest first; none where all were.
type Released = Vec<Option<String>>;

/// By which the held ones of some faults, or of all, go at once.
#[derive(Debug, Default)]
pub(crate) struct Release {
    released: watch::Sender<Released>,
}

/// The line by which one who is held hears of it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    released: watch::Receiver<Released>,
    /// How much of that was before his time.
    before: usize,
}

impl Release {
    /// A line that hears of everything from now on.
    pub(crate) fn line(&self) -> Line {
        let released = self.released.subscribe();
        let before = released.borrow().len();
        Line { released, before }
    }

    /// Lets those go whom the faults with this text hold; without one, everybody.
    pub(crate) fn let_go(&self, text: Option<String>) {
        self.released.send_modify(|released| released.push(text));
    }
}

impl Line {
    /// Waits until those of the faults with this text are let go, or everybody is.
    pub(crate) async fn until_let_go(&mut self, text: Option<&str>) {
        while !self.is_let_go(text) {
            if self.released.changed().await.is_err() {
                // The sandbox is gone: nobody is held any more either.
                return;
            }
        }
    }

    fn is_let_go(&self, text: Option<&str>) -> bool {
        let released = self.released.borrow();
        released.iter().skip(self.before).any(|gone| gone.is_none() || gone.as_deref() == text)
    }
}
