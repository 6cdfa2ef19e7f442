//! Why a gift was not used, or its use not undone, as callers see it.

use workflows::gifts::{RedeemRefusal, VoidRefusal};

use crate::problem::{Problem, kinds};

/// The same whatever is wrong: which of them it is would help whoever tries.
pub(super) fn credentials_invalid() -> Problem {
    Problem::new(kinds::CREDENTIALS_INVALID, "the supplier's number or the PIN is wrong")
}

/// Why a gift was not used.
pub(super) fn not_used(refusal: RedeemRefusal) -> Problem {
    let (kind, detail) = match refusal {
        RedeemRefusal::NotFound => (kinds::GIFT_NOT_FOUND, "there is no such gift"),
        RedeemRefusal::NotActive => (kinds::GIFT_NOT_ACTIVE, "the gift is switched off"),
        RedeemRefusal::NotYetValid => (kinds::GIFT_NOT_YET_VALID, "the time of the gift has not come yet"),
        RedeemRefusal::Expired => (kinds::GIFT_EXPIRED, "the time of the gift is over"),
        RedeemRefusal::AlreadyUsed => (kinds::GIFT_ALREADY_USED, "the gift was used before"),
        RedeemRefusal::SupplierMismatch => (kinds::SUPPLIER_MISMATCH, "the gift is for another supplier"),
    };
    Problem::new(kind, detail)
}

/// Why a redemption was not undone.
pub(super) fn not_voided(refusal: VoidRefusal) -> Problem {
    let (kind, detail) = match refusal {
        VoidRefusal::NotFound => return Problem::not_found("gift"),
        VoidRefusal::NotUsed => (kinds::GIFT_NOT_USED, "nobody has used the gift, or that was undone already"),
        VoidRefusal::OtherDevice => (kinds::REDEEMED_ELSEWHERE, "another device has used the gift, and may undo that"),
        VoidRefusal::TooLate => (kinds::VOID_WINDOW_OVER, "the time to undo the use of the gift is over"),
    };
    Problem::new(kind, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_code_of_its_row() {
        for refusal in RedeemRefusal::ALL {
            assert_eq!(not_used(refusal).code(), refusal.as_str());
        }
        for refusal in VoidRefusal::ALL.into_iter().filter(|refusal| *refusal != VoidRefusal::NotFound) {
            assert_eq!(not_voided(refusal).code(), refusal.as_str());
        }
        assert_eq!(not_voided(VoidRefusal::NotFound).code(), "not_found");
        assert_eq!(credentials_invalid().code(), "credentials_invalid");
    }
}
