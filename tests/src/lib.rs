//! What the system tests share: a running Perdura, and the words to speak with it.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

mod answer;
mod app;
mod aws;
mod device;
mod faults;
mod frontend;
mod history;
mod ledger;
mod loan;
mod merchant;
mod picture;
mod shared_stack;
mod wait;

pub use answer::Answer;
pub use app::TestApp;
pub use aws::{Aws, TABLES};
pub use device::Device;
pub use frontend::{Download, Frontend, Purchase};
pub use history::History;
pub use loan::{Loan, PROVIDER};
pub use merchant::Merchant;
pub use picture::Picture;
pub use shared_stack::SharedStack;
pub use wait::{eventually, within};
