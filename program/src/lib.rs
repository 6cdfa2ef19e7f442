//! What the API and the workers do alike, whatever they serve: they log, they read secrets, and they stop when told to.

pub mod logging;
pub mod secrets;
mod stop;

pub use stop::stop_signal;
