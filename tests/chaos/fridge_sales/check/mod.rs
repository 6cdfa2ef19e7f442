//! The promises of fridge sales, each held against what frontends were told, what happened at the machines, and what is
//! kept.

mod alerts;
mod answers;
mod laws;
mod machines;
mod notifications;
mod runs;

pub(crate) use machines::OPENED_AGAIN;

use super::FridgeSales;
use crate::violation::Violation;

pub(super) async fn run(sales: &FridgeSales) -> Vec<Violation> {
    // First: whatever was acknowledged by now has to be found.
    let acknowledged = notifications::acknowledged(sales).await;
    let known = sales.memory.sales();
    let shown = answers::check(sales, &known).await;
    let posted = notifications::posted(sales).await;
    let mut sentences = machines::check(sales, &known, &shown).await;
    sentences.extend(laws::check(sales, &known, &posted).await);
    sentences.extend(alerts::check(sales, &posted).await);
    sentences.extend(runs::check(sales, &known).await);
    sentences.extend(notifications::check(sales, &acknowledged, &posted).await);
    sentences.extend(notifications::unsettled(&acknowledged, &known, &shown));
    let mut violations: Vec<_> = sentences.into_iter().map(Violation::new).collect();
    // Last: some were noted while the clients of this check repeated themselves.
    violations.extend(sales.surprises.take());
    violations
}
