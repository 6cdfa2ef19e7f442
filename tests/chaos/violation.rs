//! What the checker finds, in sentences.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// A promise that was not kept.
#[derive(Debug)]
pub(crate) struct Violation(String);

impl Violation {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Answers that should not have been given, as they come.
#[derive(Default)]
pub(crate) struct Surprises(Mutex<Vec<Violation>>);

impl Surprises {
    pub(crate) fn note(&self, sentence: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Violation::new(sentence));
    }

    pub(crate) fn take(&self) -> Vec<Violation> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Everything that one sweep found.
pub(crate) struct Findings {
    seed: u64,
    kills: usize,
    work_done: usize,
    violations: Vec<(&'static str, Violation)>,
}

impl Findings {
    pub(crate) const fn of(seed: u64, kills: usize) -> Self {
        Self { seed, kills, work_done: 0, violations: Vec::new() }
    }

    pub(crate) fn add(&mut self, process: &'static str, work_done: usize, violations: Vec<Violation>) {
        self.work_done += work_done;
        self.violations.extend(violations.into_iter().map(|violation| (process, violation)));
    }

    pub(crate) const fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    pub(crate) const fn work_done(&self) -> usize {
        self.work_done
    }

    pub(crate) fn summary(&self) -> String {
        let Self { seed, kills, work_done, violations } = self;
        format!("seed {seed}: {kills} kills, {work_done} pieces of work, {} broken promises", violations.len())
    }

    /// Whether a violation says this.
    pub(crate) fn mentions(&self, words: &str) -> bool {
        self.violations.iter().any(|(_, violation)| violation.0.contains(words))
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.summary())?;
        for (process, Violation(sentence)) in &self.violations {
            writeln!(formatter, "  {process}: {sentence}")?;
        }
        Ok(())
    }
}
