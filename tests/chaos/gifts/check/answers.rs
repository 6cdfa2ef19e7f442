//! What was answered is answered again.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};

use super::super::{Gifts, load::repeat, memory::Step};

const AT_ONCE: usize = 8;

/// What is not as it was is noted.
pub(super) async fn check(gifts: &Gifts, known: &BTreeMap<String, Vec<Step>>) {
    let mut all = Vec::new();
    for (gift_id, steps) in known {
        all.extend(steps.iter().zip(std::iter::repeat(gift_id)));
    }
    stream::iter(all).for_each_concurrent(AT_ONCE, |(step, gift_id)| repeat(gifts, gift_id, step)).await;
}
