use std::{
    sync::{Arc, OnceLock},
    thread,
};

use stack::{Settings, Stack};
use tokio::runtime::Runtime;

use crate::TestApp;

/// A stack that the first test starts that needs it, and that all tests of a binary share whose needs are the same.
pub struct SharedStack {
    settings: fn() -> Settings,
    stack: OnceLock<Arc<Stack>>,
}

impl SharedStack {
    /// Nothing runs yet.
    pub const fn new(settings: fn() -> Settings) -> Self {
        Self { settings, stack: OnceLock::new() }
    }

    /// The running stack.
    ///
    /// # Panics
    /// When it does not start.
    pub fn app(&self) -> TestApp {
        let settings = self.settings;
        let stack = self.stack.get_or_init(|| {
            // The stack outlives the runtime of the test that happens to come first.
            let starting = thread::spawn(move || Runtime::new()?.block_on(Stack::start(settings())));
            Arc::new(starting.join().expect("the starting thread").expect("a shared stack"))
        });
        TestApp::on(Arc::clone(stack))
    }
}
