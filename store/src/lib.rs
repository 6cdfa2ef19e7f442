//! The data that Perdura owns: what the API reads and the activities write.

mod aws;
pub mod dynamodb;
mod link_key;
pub mod postgres;
pub mod s3;

pub use link_key::LinkKey;
