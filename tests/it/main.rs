//! System tests: HTTP in; database, histories and the sandbox's ledger out.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

mod authentication;
mod bad_input;
mod budget;
mod connections;
mod edges;
mod emulator;
mod forms;
mod fridge_sales;
mod front_door;
mod gifts;
mod invoices;
mod purchase_codes;
mod replay;
