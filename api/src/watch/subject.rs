//! What can be watched: it has a version, and the database announces its changes.

use store::postgres::{Database, StoreError, fridges, invoices};
use uuid::Uuid;

/// What can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Invoice,
    Transaction,
}

/// Something that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Invoice, Self::Transaction];

    /// The channel on which changes are announced.
    pub(super) const fn channel(self) -> &'static str {
        match self {
            Self::Invoice => invoices::EVENTS_CHANNEL,
            Self::Transaction => fridges::CHANGES_CHANNEL,
        }
    }

    /// What callers call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Transaction => "transaction",
        }
    }

    /// The versions of those of `ids` that there are.
    pub(super) async fn versions(self, database: &Database, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
        match self {
            Self::Invoice => database.invoice_versions(ids).await,
            Self::Transaction => database.transaction_versions(ids).await,
        }
    }
}

impl Subject {
    pub(crate) const fn invoice(id: Uuid) -> Self {
        Self { kind: Kind::Invoice, id }
    }

    pub(crate) const fn transaction(id: Uuid) -> Self {
        Self { kind: Kind::Transaction, id }
    }

    /// What an announcement is about.
    pub(super) fn announced(channel: &str, payload: &str) -> Option<Self> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.channel() == channel)?;
        Some(Self { kind, id: payload.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_names_what_changed() {
        let id = Uuid::from_u128(1);
        let announced = |channel| Subject::announced(channel, &id.to_string());
        assert_eq!(announced(invoices::EVENTS_CHANNEL), Some(Subject::invoice(id)));
        assert_eq!(announced(fridges::CHANGES_CHANNEL), Some(Subject::transaction(id)));
        assert_eq!(announced("deposit_notice"), None);
        assert_eq!(Subject::announced(invoices::EVENTS_CHANNEL, "1"), None);
    }
}
