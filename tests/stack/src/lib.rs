//! The local stack: the real servers and our own programs, as child processes on the loopback.
//!
//! [`Stack`] starts Postgres, Temporal, DynamoDB and S3, the sandbox, the API and the worker. `cargo dev` uses it with
//! a fixed set of ports and a state folder that is kept; the system tests use isolated stacks, any number of them side by
//! side:
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! use stack::{Part, Settings, Stack};
//!
//! let stack = Stack::start(Settings::isolated()).await?;
//! stack.kill(Part::Worker)?;
//! stack.launch(Part::Worker).await?;
//! stack.stop().await
//! # }
//! ```
//!
//! Every child ends with this program, whatever ends it. This crate imports no other crate of the workspace: it runs them.

mod account;
mod aws;
mod binaries;
mod blueprint;
mod child;
mod demo;
mod fetch;
mod http;
mod part;
mod ports;
mod postgres;
mod process;
mod ready;
mod replica;
mod screen;
mod secrets;
mod settings;
mod stack;
mod state;
mod supervise;
mod temporal;
mod tools;

pub use demo::{Demo, DemoData, Keys};
pub use part::Part;
pub use ports::Ports;
pub use replica::Replica;
pub use settings::{Settings, workspace_root};
pub use stack::Stack;
pub use supervise::supervise;

pub use screen::screen;
