//! The data that Perdura owns: what the API reads and the activities write.

pub mod postgres;
