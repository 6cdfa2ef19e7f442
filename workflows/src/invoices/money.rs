use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::InvoiceTerms;
use crate::domain::BaseUnits;

/// State of a deposit output on its chain, as the watcher reported it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputState {
    /// In the mempool.
    Seen,
    /// In a block.
    Included,
    /// The chain cannot take it back.
    Final,
    /// Its block is no longer in the chain.
    Orphaned,
    /// Another transaction took its place.
    Replaced,
}

/// One output of a transaction that pays to an invoice's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Our id of it.
    pub transaction_id: Uuid,
    /// Amount in base units of the invoice's coin; meaningless for another asset.
    pub amount: BaseUnits,
    /// Where it is on its chain.
    pub state: OutputState,
    /// Height of its block.
    pub block_height: Option<i64>,
    /// Highest block that was known when it was last reported.
    pub tip_height: i64,
    /// When the watcher saw it first.
    pub first_seen_at: DateTime<Utc>,
    /// Whether it is the coin that the invoice asks for, by its contract.
    pub right_asset: bool,
    /// Whether the merchant was credited with it.
    pub credited: bool,
}

impl Output {
    /// Whether the money is there, confirmed or not.
    pub const fn counts(&self) -> bool {
        matches!(self.state, OutputState::Seen | OutputState::Included | OutputState::Final)
    }

    /// Whether enough blocks stand on it. The watcher's word counts for `final`, the heights for everything else.
    pub fn is_confirmed(&self, confirmations: u32) -> bool {
        match (self.state, self.block_height) {
            (OutputState::Final, _) => true,
            (OutputState::Included, Some(height)) => self.tip_height - height + 1 >= i64::from(confirmations),
            _ => false,
        }
    }
}

/// The money of an invoice, always summed anew from its outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// In time, confirmed or not.
    pub seen: BaseUnits,
    /// In time and confirmed.
    pub confirmed: BaseUnits,
    /// After its time and not accepted, confirmed or not.
    pub late: BaseUnits,
    /// Another asset is there.
    pub wrong_asset: bool,
    /// The chain has taken back what the merchant was credited with.
    pub taken_back: bool,
}

impl Sums {
    /// Sums `outputs` under `terms`.
    pub fn of(outputs: &[Output], terms: &InvoiceTerms) -> Self {
        let (in_time, late) = by_deadline(outputs, terms);
        Self {
            seen: in_time.iter().map(|output| &output.amount).sum(),
            confirmed: confirmed(outputs, terms).iter().map(|output| &output.amount).sum(),
            late: late.iter().map(|output| &output.amount).sum(),
            wrong_asset: outputs.iter().any(|output| output.counts() && !output.right_asset),
            taken_back: outputs.iter().any(|output| output.credited && !output.is_confirmed(terms.confirmations)),
        }
    }
}

/// The outputs that the merchant is credited for: the right asset, in time and confirmed.
pub fn confirmed<'a>(outputs: &'a [Output], terms: &InvoiceTerms) -> Vec<&'a Output> {
    let (in_time, _) = by_deadline(outputs, terms);
    in_time.into_iter().filter(|output| output.is_confirmed(terms.confirmations)).collect()
}

/// The outputs that came after their time and were not accepted.
pub fn late<'a>(outputs: &'a [Output], terms: &InvoiceTerms) -> Vec<&'a Output> {
    by_deadline(outputs, terms).1
}

/// What counts, in time and late. An output is in time when it was first seen before the deadline, or before the end of
/// the grace if there was money before the deadline.
fn by_deadline<'a>(outputs: &'a [Output], terms: &InvoiceTerms) -> (Vec<&'a Output>, Vec<&'a Output>) {
    let right: Vec<_> = outputs.iter().filter(|output| output.counts() && output.right_asset).collect();
    let in_time_until = terms.in_time_until();
    let started = right.iter().any(|output| output.first_seen_at < in_time_until);
    let cut_off = if started { terms.complete_by.max(in_time_until) } else { in_time_until };
    right.into_iter().partition(|output| output.first_seen_at < cut_off)
}
