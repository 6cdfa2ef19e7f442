//! Figures of many rounds.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::{load::Sample, processes::Memory};

/// One round of one side.
pub(crate) struct Turn {
    pub(crate) sample: Sample,
    pub(crate) processor_seconds: Vec<(&'static str, f64)>,
}

/// All rounds of one side. Times in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) longest: f64,
    /// Processor time for one request, by process.
    pub(crate) processor_ms: Vec<(&'static str, f64)>,
}

/// Ours against the floor, as ratios of each round.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    pub(crate) p50_ratio: Spread,
    pub(crate) throughput_ratio: Spread,
    pub(crate) ours: Side,
    pub(crate) floor: Side,
}

/// Lowest, middle and highest of a few figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) lowest: f64,
    pub(crate) median: f64,
    pub(crate) highest: f64,
}

/// What one process costs at Temporal. Calls are those of one creation, where they were counted.
#[derive(Debug, Serialize)]
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) outline: String,
    pub(crate) calls: BTreeMap<String, f64>,
}

/// Downloads of vouchers, one at a time.
#[derive(Debug, Serialize)]
pub(crate) struct Vouchers {
    /// The first of each voucher, which draws it.
    pub(crate) drawn: Side,
    /// The second of each, which finds it kept.
    pub(crate) kept: Side,
    /// The drawing alone.
    pub(crate) drawing: Side,
    /// What these times are, and what they are not.
    pub(crate) note: &'static str,
}

/// What is wrong with a use of a gift, in turns and one at a time: whoever can tell the two apart learns which numbers
/// there are.
#[derive(Debug, Serialize)]
pub(crate) struct Guesses {
    /// The number is nobody's.
    pub(crate) number: Side,
    /// The PIN is another.
    pub(crate) pin: Side,
    /// The wrong PIN against the wrong number: their medians.
    pub(crate) p50_ratio: f64,
}

/// Those who watch invoices, all at the same time, on one API process.
#[derive(Debug, Serialize)]
pub(crate) struct Watchers {
    /// By event streams: from a change, by the workflow's clock and so a little before its commit, to its sight.
    pub(crate) streams: Side,
    /// The same by requests that wait.
    pub(crate) polls: Side,
    /// The API before, with all of them open, and after.
    pub(crate) api: [Memory; 3],
}

/// Sales that are all open at the same time, on one worker.
#[derive(Debug, Serialize)]
pub(crate) struct Crowd {
    pub(crate) sales: usize,
    /// From each request to its open door, all of them asked for at once.
    pub(crate) opens: Side,
    /// How many of them came to their end with what was taken.
    pub(crate) completed: usize,
    /// The worker before, while all doors are open, and after.
    pub(crate) worker: [Memory; 3],
}

/// Everything.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) conditions: Vec<(&'static str, String)>,
    pub(crate) comparisons: Vec<Comparison>,
    /// What the comparisons do not say of themselves.
    pub(crate) notes: Vec<&'static str>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) watchers: Option<Watchers>,
    pub(crate) vouchers: Option<Vouchers>,
    pub(crate) guesses: Option<Guesses>,
    pub(crate) crowd: Option<Crowd>,
    pub(crate) memory: Vec<Memory>,
}

impl Side {
    #[expect(clippy::cast_precision_loss, reason = "far fewer requests than a float can count")]
    pub(crate) fn of(turns: &[Turn]) -> Result<Self> {
        let mut all = Sample::new()?;
        for turn in turns {
            all.merge(&turn.sample)?;
        }
        let mut processor_ms: Vec<(&'static str, f64)> = Vec::new();
        for (name, seconds) in turns.iter().flat_map(|turn| &turn.processor_seconds) {
            let each = seconds * 1000.0 / all.succeeded() as f64;
            match processor_ms.iter_mut().find(|(other, _)| other == name) {
                Some((_, sum)) => *sum += each,
                None => processor_ms.push((name, each)),
            }
        }
        Ok(Self {
            requests: all.succeeded(),
            failed: all.failed(),
            per_second: all.throughput(),
            p50: all.quantile(0.5),
            p90: all.quantile(0.9),
            p99: all.quantile(0.99),
            p999: all.quantile(0.999),
            longest: all.longest(),
            processor_ms,
        })
    }
}

impl Comparison {
    pub(crate) fn new(name: &'static str, p50: Vec<f64>, throughput: Vec<f64>, (ours, floor): (Side, Side)) -> Self {
        Self { name, p50_ratio: Spread::of(p50), throughput_ratio: Spread::of(throughput), ours, floor }
    }
}

impl Spread {
    /// All zero when there is nothing to tell.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        let last = values.len().saturating_sub(1);
        Self { lowest: at(0), median: f64::midpoint(at(last / 2), at(values.len() / 2)), highest: at(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]), Spread { lowest: 1.0, median: 2.0, highest: 3.0 });
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]), Spread { lowest: 1.0, median: 2.5, highest: 4.0 });
        assert_eq!(Spread::of(Vec::new()), Spread { lowest: 0.0, median: 0.0, highest: 0.0 });
    }
}
