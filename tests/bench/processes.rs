//! Processor time and memory of running processes, as the kernel counts them.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

/// Linux tells processor time in hundredths of a second, whatever its own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process by name, with the processes that it has started.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) name: &'static str,
    pub(crate) pid: u32,
}

/// Memory of a process, in MiB.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Memory {
    pub(crate) name: &'static str,
    pub(crate) resident: f64,
    pub(crate) highest: f64,
}

impl Watched {
    /// Processor seconds so far, its children's among them.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let own = ticks(self.pid).with_context(|| format!("{} is gone", self.name))?;
        let of_children = children(self.pid).into_iter().filter_map(|child| ticks(child).ok());
        Ok((own + of_children.sum::<f64>()) / TICKS_PER_SECOND)
    }

    /// What it holds of the memory and what it held at most; without its children.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let resident = mebibytes(&status, "VmRSS:").context("no resident size")?;
        let highest = mebibytes(&status, "VmHWM:").context("no highest resident size")?;
        Ok(Memory { name: self.name, resident, highest })
    }
}

fn mebibytes(status: &str, field: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(value.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// User and system time, with that of children that have ended.
fn ticks(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The program's name stands in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(") ").context("an unknown format")?;
    let times = fields.split(' ').skip(11).take(4);
    Ok(times.filter_map(|time| time.parse::<f64>().ok()).sum())
}

fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_tells_its_memory_and_time() {
        let own = Watched { name: "this", pid: std::process::id() };
        assert!(own.processor_seconds().unwrap() >= 0.0);
        let memory = own.memory().unwrap();
        assert!(memory.resident > 0.1 && memory.highest >= memory.resident * 0.9);
    }
}
