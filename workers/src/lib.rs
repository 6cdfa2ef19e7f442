//! The composition root of the workers: settings, wiring, supervision, health and shutdown.

mod health;
pub mod logging;
mod process;
mod relay;
mod settings;
mod supervisor;

pub use settings::WorkerSettings;
pub use supervisor::run;
