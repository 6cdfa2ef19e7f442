//! The data that Perdura owns: what the API reads and the activities write.

mod aws;
pub mod dynamodb;
pub mod postgres;
pub mod s3;
