//! The promises of invoices, each held against what clients were told, what happened outside, and what is kept.

mod addresses;
mod answers;
mod expectation;
mod laws;
mod money;
mod runs;

use super::Invoices;
use crate::violation::Violation;

pub(crate) use money::UNCOUNTED;

pub(super) async fn run(invoices: &Invoices) -> Vec<Violation> {
    let known = invoices.memory.invoices();
    let mut violations = answers::check(invoices, &known).await;
    violations.extend(addresses::check(invoices, &known).await);
    violations.extend(money::check(invoices, &known).await);
    violations.extend(laws::check(invoices).await);
    violations.extend(runs::check(invoices).await);
    // Last: some were noted while the clients of this check repeated themselves.
    violations.extend(invoices.memory.surprises().take());
    violations
}
