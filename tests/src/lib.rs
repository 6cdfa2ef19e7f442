//! What the system tests share: a running Perdura, and the words to speak with it.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

mod answer;
mod app;
mod audit;
mod aws;
mod buyer;
mod device;
mod faults;
mod fridge;
mod frontend;
mod history;
mod kept;
mod ledger;
mod loan;
mod long_poll;
mod lost_task;
mod merchant;
mod picture;
mod shared_stack;
mod shop;
mod wait;
mod watcher;
mod wrong_clock;

pub use answer::Answer;
pub use app::TestApp;
pub use aws::{Aws, TABLES};
pub use buyer::Buyer;
pub use device::Device;
pub use fridge::{Fridge, Sale, event_names, is_in_time, product};
pub use frontend::{Download, Frontend, Purchase};
pub use history::History;
pub use kept::Kept;
pub use loan::{Loan, PROVIDER};
pub use long_poll::LongPoll;
pub use merchant::Merchant;
pub use picture::Picture;
pub use shared_stack::SharedStack;
pub use shop::{Account, PinWork, Shop, Supplier, new_gift_id};
pub use wait::{eventually, within};
pub use watcher::{Output, Watcher};
pub use wrong_clock::with_wrong_clock;
