//! Ours and the floor in turns, so that whatever else the machine does meets both.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    figures::{Comparison, Side, Turn},
    load::{
        Sample, Target,
        closed::{self, Closed},
        open::{self, Open},
    },
    processes::Watched,
};

/// Requests in flight where the system is to show how much it can do.
pub(crate) const IN_FLIGHT: usize = 16;

/// How requests are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// So many in flight.
    Closed(Closed),
    /// A fixed rate.
    Open(Open),
}

/// One side: where to, and whose processor time that costs.
pub(crate) struct Contender {
    pub(crate) target: Target,
    pub(crate) processes: Vec<Watched>,
}

/// What is compared.
pub(crate) struct Contest<'a> {
    pub(crate) name: &'static str,
    pub(crate) load: Load,
    pub(crate) ours: &'a Contender,
    pub(crate) floor: &'a Contender,
}

impl Load {
    /// A round that never runs away.
    pub(crate) fn closed(in_flight: usize, requests: u64) -> Self {
        Self::Closed(Closed { in_flight, requests, at_most: Duration::from_mins(1) })
    }

    /// A round of a fixed rate.
    pub(crate) fn open(per_second: u32, seconds: u32) -> Self {
        Self::Open(Open { per_second, requests: per_second * seconds })
    }

    async fn run(self, target: &Target) -> Result<Sample> {
        match self {
            Self::Closed(round) => closed::run(target, round).await,
            Self::Open(round) => open::run(target, round).await,
        }
    }
}

impl Contender {
    /// One round.
    pub(crate) async fn turn(&self, load: Load) -> Result<Turn> {
        let before = self.processor_seconds()?;
        let sample = load.run(&self.target).await?;
        let after = self.processor_seconds()?;
        ensure!(sample.succeeded() > 0, "not one request of a round succeeded");
        let used = before.iter().zip(after).map(|((name, before), (_, after))| (*name, after - before)).collect();
        Ok(Turn { sample, processor_seconds: used })
    }

    fn processor_seconds(&self) -> Result<Vec<(&'static str, f64)>> {
        self.processes.iter().map(|process| Ok((process.name, process.processor_seconds()?))).collect()
    }
}

impl Contest<'_> {
    /// Runs `rounds` rounds, each side first in every other one.
    pub(crate) async fn run(&self, rounds: usize) -> Result<Comparison> {
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            if round % 2 == 0 {
                ours.push(self.ours.turn(self.load).await?);
                floor.push(self.floor.turn(self.load).await?);
            } else {
                floor.push(self.floor.turn(self.load).await?);
                ours.push(self.ours.turn(self.load).await?);
            }
        }
        let ratios = |figure: fn(&Sample) -> f64| {
            ours.iter().zip(&floor).map(|(ours, floor)| figure(&ours.sample) / figure(&floor.sample)).collect()
        };
        let (p50, throughput) = (ratios(|sample| sample.quantile(0.5)), ratios(Sample::throughput));
        Ok(Comparison::new(self.name, p50, throughput, (Side::of(&ours)?, Side::of(&floor)?)))
    }
}

/// One contest after the other, of the same two.
pub(crate) async fn compare(
    loads: &[(&'static str, Load)],
    rounds: usize,
    ours: &Contender,
    floor: &Contender,
) -> Result<Vec<Comparison>> {
    let mut comparisons = Vec::new();
    for (name, load) in loads {
        comparisons.push(Contest { name, load: *load, ours, floor }.run(rounds).await?);
    }
    Ok(comparisons)
}

/// So many requests of each side that no figure is of.
pub(crate) async fn warm_up(ours: &Contender, floor: &Contender, requests: usize) -> Result<()> {
    let load = Load::closed(IN_FLIGHT, u64::try_from(requests)?);
    Contest { name: "warm-up", load, ours, floor }.run(1).await?;
    Ok(())
}
