use std::time::Duration;

use hdrhistogram::Histogram;

/// Timings of one round, in microseconds.
pub(crate) struct Sample {
    latencies: Histogram<u64>,
    failed: u64,
    took: Duration,
}

impl Sample {
    const LONGEST: u64 = 60_000_000;
    const DIGITS: u8 = 3;

    pub(crate) fn new() -> anyhow::Result<Self> {
        let latencies = Histogram::new_with_bounds(1, Self::LONGEST, Self::DIGITS)?;
        Ok(Self { latencies, failed: 0, took: Duration::ZERO })
    }

    /// Counts one request. A failed one has no time that would mean anything.
    pub(crate) fn add(&mut self, latency: Duration, succeeded: bool) {
        if succeeded {
            self.latencies.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(Self::LONGEST));
        } else {
            self.failed += 1;
        }
    }

    /// Takes another's requests in. Those of one round share its time; `took` of rounds one after the other adds up.
    pub(crate) fn merge(&mut self, other: &Self) -> anyhow::Result<()> {
        self.latencies.add(&other.latencies)?;
        self.failed += other.failed;
        self.took += other.took;
        Ok(())
    }

    pub(crate) fn finish(mut self, took: Duration) -> Self {
        self.took = took;
        self
    }

    /// Milliseconds within which this share of the requests was answered.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of at most a minute")]
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// The longest, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of at most a minute")]
    pub(crate) fn longest(&self) -> f64 {
        self.latencies.max() as f64 / 1000.0
    }

    pub(crate) fn succeeded(&self) -> u64 {
        self.latencies.len()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// Requests answered well, in a second.
    #[expect(clippy::cast_precision_loss, reason = "far fewer requests than a float can count")]
    pub(crate) fn throughput(&self) -> f64 {
        self.succeeded() as f64 / self.took.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_no_part_in_the_figures() {
        let mut sample = Sample::new().unwrap();
        sample.add(Duration::from_millis(4), true);
        sample.add(Duration::from_secs(5), false);
        let sample = sample.finish(Duration::from_secs(2));
        assert_eq!((sample.succeeded(), sample.failed()), (1, 1));
        assert!((sample.quantile(0.99) - 4.0).abs() < 0.01 && (sample.throughput() - 0.5).abs() < 1e-9);
    }
}
