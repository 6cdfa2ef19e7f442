//! The figures for people.

use std::fmt::{self, Display, Formatter};

use crate::figures::{Comparison, Cost, Crowd, Figures, Guesses, Side, Spread, Vouchers, Watchers};

impl Display for Figures {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.conditions {
            writeln!(out, "{name:<26}{value}")?;
        }
        for comparison in &self.comparisons {
            write!(out, "\n{comparison}")?;
        }
        for note in &self.notes {
            writeln!(out, "\n{note}")?;
        }
        for cost in &self.costs {
            write!(out, "\n{cost}")?;
        }
        if let Some(watchers) = &self.watchers {
            write!(out, "\n{watchers}")?;
        }
        if let Some(vouchers) = &self.vouchers {
            write!(out, "\n{vouchers}")?;
        }
        if let Some(guesses) = &self.guesses {
            write!(out, "\n{guesses}")?;
        }
        if let Some(crowd) = &self.crowd {
            write!(out, "\n{crowd}")?;
        }
        writeln!(out, "\n{:<20}{:>12}{:>12}", "memory, MiB", "resident", "highest")?;
        for memory in &self.memory {
            writeln!(out, "{:<20}{:>12.1}{:>12.1}", memory.name, memory.resident, memory.highest)?;
        }
        Ok(())
    }
}

impl Display for Comparison {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        head(out, self.name)?;
        line(out, "ours", &self.ours)?;
        line(out, "floor", &self.floor)?;
        writeln!(out, "  ours / floor: p50 {}, throughput {}", self.p50_ratio, self.throughput_ratio)?;
        processor(out, "ours", &self.ours)?;
        processor(out, "floor", &self.floor)
    }
}

impl Display for Watchers {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        head(out, "Seeing a change of an invoice, all watchers at once on one API")?;
        line(out, "streams", &self.streams)?;
        line(out, "waits", &self.polls)?;
        let [before, open, after] = self.api.each_ref().map(|memory| memory.resident);
        writeln!(out, "  the API's memory, MiB: {before:.1} before, {open:.1} with all of them open, {after:.1} after")
    }
}

impl Display for Vouchers {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        head(out, "Downloading a voucher, one at a time")?;
        line(out, "drawn", &self.drawn)?;
        line(out, "kept", &self.kept)?;
        line(out, "draw", &self.drawing)?;
        processor(out, "drawn", &self.drawn)?;
        processor(out, "kept", &self.kept)?;
        writeln!(out, "{}", self.note)
    }
}

impl Display for Guesses {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        head(out, "Refusing what is wrong, in turns and one at a time")?;
        line(out, "number", &self.number)?;
        line(out, "PIN", &self.pin)?;
        writeln!(out, "  a wrong PIN / a wrong number: p50 {:.3}", self.p50_ratio)
    }
}

impl Display for Crowd {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        head(out, &format!("Opening {} fridges at once on one worker", self.sales))?;
        line(out, "opened", &self.opens)?;
        let [before, open, after] = self.worker.each_ref().map(|memory| memory.resident);
        writeln!(out, "  {} of {} sales completed", self.completed, self.sales)?;
        writeln!(out, "  the worker's memory, MiB: {before:.1} before, {open:.1} with all doors open, {after:.1} after")
    }
}

fn head(out: &mut Formatter<'_>, name: &str) -> fmt::Result {
    let columns = ["requests", "failed", "per s", "p50 ms", "p90", "p99", "p99.9", "longest"];
    write!(out, "{name}\n{:<8}", "")?;
    columns.iter().try_for_each(|column| write!(out, "{column:>10}"))?;
    writeln!(out)
}

fn line(out: &mut Formatter<'_>, name: &str, side: &Side) -> fmt::Result {
    write!(out, "{name:<8}{:>10}{:>10}{:>10.1}", side.requests, side.failed, side.per_second)?;
    for latency in [side.p50, side.p90, side.p99, side.p999, side.longest] {
        write!(out, "{latency:>10.2}")?;
    }
    writeln!(out)
}

fn processor(out: &mut Formatter<'_>, name: &str, side: &Side) -> fmt::Result {
    let each: Vec<_> = side.processor_ms.iter().map(|(process, ms)| format!("{process} {ms:.2}")).collect();
    writeln!(out, "  processor ms per request, {name}: {}", each.join(", "))
}

impl Display for Spread {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{:.2} ({:.2} to {:.2})", self.median, self.lowest, self.highest)
    }
}

impl Display for Cost {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{} history events, {} bytes", self.name, self.events, self.bytes)?;
        for (operation, calls) in &self.calls {
            writeln!(out, "  {calls:>6.2} {operation}")?;
        }
        write!(out, "{}", self.outline)
    }
}
