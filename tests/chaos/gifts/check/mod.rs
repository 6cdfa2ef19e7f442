//! The promises of gifts, each held against what tills were told and what is kept.

mod answers;
mod guards;
mod laws;
mod rows;
mod runs;

use super::Gifts;
use crate::violation::Violation;

pub(super) async fn run(gifts: &Gifts) -> Vec<Violation> {
    let known = gifts.memory.gifts();
    answers::check(gifts, &known).await;
    guards::check(gifts).await;
    let rows = rows::read(gifts).await;
    let mut sentences = laws::check(&known, &rows);
    sentences.extend(rows::unaudited(gifts).await);
    sentences.extend(runs::check(gifts, &known).await);
    let mut violations: Vec<_> = sentences.into_iter().map(Violation::new).collect();
    // Last: some were noted while the clients of this check repeated themselves.
    violations.extend(gifts.surprises.take());
    violations
}
