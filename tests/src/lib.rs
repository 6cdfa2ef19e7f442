//! What the system tests share: a running Perdura, and the words to speak with it.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

mod app;
mod history;
mod ledger;
mod merchant;
mod wait;

pub use app::TestApp;
pub use history::History;
pub use merchant::{Answer, Merchant};
pub use wait::{eventually, within};
