//! A disbursement is reversed once. A transaction says itself whether it is.

use workflows::contracts::core_banking::{Reverse, ReverseResult};

use crate::clients::mambu::{Mambu, MambuError};

const OPERATION: &str = "adjusting a transaction";
const NOTES: &str = "Purchase code not used in time";
const ALREADY: [&str; 2] = ["TRANSACTION_ALREADY_ADJUSTED", "TRANSACTION_ALREADY_REVERSED"];

/// Reverses, or finds out that it happened.
pub(super) async fn once(mambu: &Mambu, reverse: &Reverse, was_tried: bool) -> Result<ReverseResult, MambuError> {
    if was_tried && is_reversed(mambu, reverse).await? {
        return Ok(ReverseResult::Reversed);
    }
    match mambu.adjust(&reverse.transaction_id, reverse.key, NOTES).await {
        Ok(_) => Ok(ReverseResult::Reversed),
        Err(MambuError::Refused { reason, .. }) => refused(mambu, reverse, reason).await,
        Err(error) => Err(error),
    }
}

/// What stands in the way may be the reversal itself.
async fn refused(mambu: &Mambu, reverse: &Reverse, reason: String) -> Result<ReverseResult, MambuError> {
    if is_reversed(mambu, reverse).await? {
        return Ok(ReverseResult::Reversed);
    }
    if ALREADY.contains(&reason.as_str()) {
        return Err(MambuError::senseless(OPERATION, "it is reversed and does not show it"));
    }
    Ok(ReverseResult::Blocked { reason })
}

async fn is_reversed(mambu: &Mambu, reverse: &Reverse) -> Result<bool, MambuError> {
    Ok(mambu.transaction(&reverse.transaction_id).await?.is_some_and(|transaction| transaction.is_adjusted()))
}
