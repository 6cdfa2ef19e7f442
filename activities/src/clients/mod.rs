//! The systems that others own, one folder each. A client speaks its system's language.

pub mod addresses;
pub mod ciam;
mod http;
pub mod mambu;
pub mod slack;
pub mod vendron;

pub use http::NoAnswer;
