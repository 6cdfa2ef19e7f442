//! Perdura's HTTP API: it starts processes, tells them things, and reads what they wrote. It calls no outside system.

mod auth;
mod catalogue;
mod codec;
mod commands;
mod cors;
mod cursor;
mod deposits;
mod engine;
mod etag;
mod forms;
mod fridge_sales;
mod gifts;
mod health;
mod idempotency;
mod invoices;
mod json;
mod linger;
mod money;
mod openapi;
mod params;
mod payment_options;
mod privacy;
mod problem;
mod processes;
mod purchase_codes;
mod qr;
mod queue;
mod rate_limit;
mod request_log;
mod router;
mod secrets;
mod server;
mod state;
mod text;
mod watch;

pub use commands::{Cli, run};
