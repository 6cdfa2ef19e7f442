use anyhow::Result;

use crate::{
    arena::Arena,
    conditions,
    figures::Figures,
    fridges, gifts, invoices,
    plan::{Plan, Subject},
    purchases, watchers,
};

/// Starts everything, measures and stops everything.
pub(crate) async fn run(plan: &Plan) -> Result<Figures> {
    let arena = Arena::open().await?;
    let mut figures = Figures::default();
    if plan.has(Subject::Invoices) {
        invoices::measure(&arena, plan, &mut figures).await?;
    }
    if plan.has(Subject::Watchers) {
        watchers::measure(&arena, plan, &mut figures).await?;
    }
    if plan.has(Subject::Purchases) {
        purchases::measure(&arena, plan, &mut figures).await?;
    }
    if plan.has(Subject::Fridges) {
        fridges::measure(&arena, plan, &mut figures).await?;
    }
    if plan.has(Subject::Gifts) {
        gifts::measure(&arena, plan, &mut figures).await?;
    }
    figures.memory = arena.memory()?;
    figures.conditions = conditions::conditions(&arena.app, plan.rounds).await?;
    Ok(figures)
}
