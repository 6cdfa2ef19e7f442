//! What an output adds to the sums of its invoice: only when that changes does the workflow have to hear of it.

use chrono::DateTime;
use uuid::Uuid;
use workflows::{
    domain::BaseUnits,
    invoices::{Output, OutputState},
};

use super::Observation;

/// What an output adds to the sums: seen, confirmed.
pub(super) type Share = (BaseUnits, bool);

/// What an output adds to the sums. The asset and the time of first sight do not change.
pub(super) fn share(observation: &Observation, amount: &BaseUnits, tip_height: i64, confirmations: i64) -> Share {
    share_of(observation.state, observation.block_height, amount, (tip_height, confirmations))
}

/// What an output in this state adds.
pub(super) fn share_of(
    state: OutputState,
    block_height: Option<i64>,
    amount: &BaseUnits,
    (tip_height, confirmations): (i64, i64),
) -> Share {
    let output = Output {
        transaction_id: Uuid::nil(),
        amount: amount.clone(),
        state,
        block_height,
        tip_height,
        first_seen_at: DateTime::UNIX_EPOCH,
        right_asset: true,
    };
    if !output.counts() {
        return Share::default();
    }
    (amount.clone(), output.is_confirmed(u32::try_from(confirmations).unwrap_or(u32::MAX)))
}
