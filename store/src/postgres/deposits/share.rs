//! What an output adds to the sums of its invoice: only when that changes does the workflow have to hear of it.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use workflows::{
    domain::BaseUnits,
    invoices::{Output, Sighting},
};

/// What an invoice holds against an output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) confirmations: i64,
    pub(super) expires_at: DateTime<Utc>,
}

/// What an output adds to the sums, beside its amount, which does not change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// It is not there.
    Nothing,
    /// It is another asset.
    OtherAsset,
    /// It counts. Before the deadline one time of first sight is as good as another; after it an earlier one may still be
    /// in time.
    Counted { is_confirmed: bool, late_since: Option<DateTime<Utc>> },
}

impl Share {
    /// Of an output that is the right asset or not, under the terms of its invoice.
    pub(super) fn of(sighting: &Sighting, right_asset: bool, terms: Terms) -> Self {
        let output = Output {
            transaction_id: Uuid::nil(),
            amount: BaseUnits::zero(),
            state: sighting.state(),
            block_height: sighting.block_height,
            tip_height: sighting.tip_height,
            first_seen_at: sighting.first_seen_at,
            right_asset,
            credited: false,
        };
        if !output.counts() {
            return Self::Nothing;
        }
        if !right_asset {
            return Self::OtherAsset;
        }
        let confirmations = u32::try_from(terms.confirmations).unwrap_or(u32::MAX);
        let is_late = sighting.first_seen_at >= terms.expires_at;
        Self::Counted {
            is_confirmed: output.is_confirmed(confirmations),
            late_since: is_late.then_some(sighting.first_seen_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use workflows::invoices::OutputState;

    use super::*;

    fn included(tip_height: i64, seconds: i64) -> Sighting {
        Sighting {
            reported: OutputState::Included,
            final_version: None,
            lost_version: None,
            block_height: Some(7),
            block_hash: None,
            tip_height,
            first_seen_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds),
            version: 1,
        }
    }

    fn share(sighting: &Sighting) -> Share {
        Share::of(sighting, true, Terms { confirmations: 3, expires_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(60) })
    }

    #[test]
    fn a_block_more_changes_it_only_when_it_confirms() {
        assert_eq!(share(&included(7, 0)), share(&included(8, 0)));
        assert_ne!(share(&included(8, 0)), share(&included(9, 0)));
        assert_eq!(share(&included(9, 0)), share(&included(90, 0)));
    }

    #[test]
    fn an_earlier_first_sight_changes_it_only_when_it_was_late() {
        assert_eq!(share(&included(7, 59)), share(&included(7, 1)));
        assert_ne!(share(&included(7, 60)), share(&included(7, 59)));
        assert_ne!(share(&included(7, 90)), share(&included(7, 60)));
    }

    #[test]
    fn what_is_gone_adds_nothing_and_another_asset_is_only_there() {
        let gone = Sighting { reported: OutputState::Orphaned, ..included(9, 0) };
        assert_eq!(share(&gone), Share::Nothing);
        let terms = Terms { confirmations: 3, expires_at: DateTime::UNIX_EPOCH };
        assert_eq!(Share::of(&included(7, 0), false, terms), Share::of(&included(9, 90), false, terms));
    }
}
