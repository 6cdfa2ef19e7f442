use chrono::SubsecRound;
use workflows::invoices::{OutputState, Sighting};

use super::Observation;
use crate::postgres::database::SECOND_DIGITS;

/// What one report says.
pub(super) fn sighting(observation: &Observation) -> Sighting {
    let version = observation.version;
    let is_lost = matches!(observation.state, OutputState::Orphaned | OutputState::Replaced);
    Sighting {
        reported: observation.state,
        final_version: (observation.state == OutputState::Final).then_some(version),
        lost_version: is_lost.then_some(version),
        block_height: observation.block_height,
        block_hash: observation.block_hash.clone(),
        tip_height: observation.tip_height,
        first_seen_at: observation.first_seen_at.trunc_subsecs(SECOND_DIGITS),
        version,
    }
}
