//! No guard is stuck: each till is heard, and its right PIN is right.

use reqwest::StatusCode;

use super::super::{Corner, Gifts, load::be_heard};

/// Each till uses one more gift. What goes wrong is noted.
pub(super) async fn check(gifts: &Gifts) {
    for Corner { own, rival, last, .. } in &gifts.corners {
        for (till, gift_id) in [own, rival].into_iter().zip(last) {
            let what = format!("the last use, of {gift_id},");
            let request = || till.shop.using("last", gift_id, &till.account);
            let Some(answer) = be_heard(gifts, &what, request).await else { continue };
            if answer.status != StatusCode::OK {
                gifts.surprises.note(format!("{what} was answered {answer:?}"));
            }
        }
    }
}
