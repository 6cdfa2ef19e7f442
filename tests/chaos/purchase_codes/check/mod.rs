//! The promises of purchase codes, each held against what frontends and tills were told, what happened outside, and
//! what is kept.

mod answers;
mod money;
mod records;
mod runs;

use super::PurchaseCodes;
use crate::violation::Violation;

pub(super) async fn run(purchases: &PurchaseCodes) -> Vec<Violation> {
    let known = purchases.memory.purchases();
    answers::check(purchases, &known).await;
    let mut sentences = money::check(purchases, &known).await;
    sentences.extend(records::check(purchases, &known).await);
    sentences.extend(runs::check(purchases, &known).await);
    let mut violations: Vec<_> = sentences.into_iter().map(Violation::new).collect();
    // Last: some were noted while the clients of this check repeated themselves.
    violations.extend(purchases.surprises.take());
    violations
}
