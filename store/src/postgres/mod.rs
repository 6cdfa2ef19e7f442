//! Postgres: invoices, forms, addresses, deposits, fridge sales, API keys. Row structs stay in here.

mod addresses;
pub mod api_keys;
pub mod catalogue;
mod database;
pub mod deposits;
mod error;
pub mod forms;
pub mod fridges;
pub mod gifts;
pub mod invoices;
pub mod notices;
mod numeric;

pub use database::Database;
pub use error::StoreError;
