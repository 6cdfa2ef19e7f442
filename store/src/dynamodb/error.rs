use uuid::Uuid;

use crate::aws::Cause;

/// Why the tables did not do their work.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// DynamoDB did not answer, said no for now, or is not set up.
    #[error("{operation} failed in DynamoDB")]
    Outage {
        /// What was tried.
        operation: &'static str,
        /// What the client says.
        #[source]
        source: Cause,
    },
    /// The items changed in the middle of it: another try sees them as they are.
    #[error("{operation} met another change of the same items")]
    Contended {
        /// What was tried.
        operation: &'static str,
    },
    /// The program was given another code key than the one that sealed this code, or the code is damaged.
    #[error("the code of purchase {purchase_id} does not open with this code key")]
    Unopened {
        /// Which purchase.
        purchase_id: Uuid,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    NoRandomness,
    /// An item says what it may not say.
    #[error("{operation} met an item that cannot be: {what}")]
    Corrupt {
        /// What was tried.
        operation: &'static str,
        /// What is wrong.
        what: String,
    },
}

impl TableError {
    /// Names the operation that met an error of AWS's client.
    pub(super) fn outage(operation: &'static str, source: impl Into<Cause>) -> Self {
        Self::Outage { operation, source: source.into() }
    }

    /// An item that contradicts itself or what is asked.
    pub(super) fn corrupt(operation: &'static str, what: impl Into<String>) -> Self {
        Self::Corrupt { operation, what: what.into() }
    }

    /// Whether it is a contradiction, which another try does not mend.
    pub const fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }
}
