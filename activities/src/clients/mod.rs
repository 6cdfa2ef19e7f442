//! The systems that others own, one folder each. A client speaks its system's language.

pub mod addresses;
