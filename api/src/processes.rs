//! Which processes run here: what is not served needs none of its settings.

use clap::{Args, ValueEnum};

/// The processes of this deployment.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProcessSettings {
    /// Processes that run here: the routes of the others answer that they are not served.
    #[arg(
        long = "processes",
        env = "PERDURA_PROCESSES",
        value_delimiter = ',',
        default_values = ["invoices", "purchase-codes", "fridge-sales", "gifts"]
    )]
    processes: Vec<Process>,
}

/// A process, by the name that workers know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Process {
    /// Crypto invoices, whose routes are always served.
    Invoices,
    /// Purchase codes.
    PurchaseCodes,
    /// Sales of smart fridges.
    FridgeSales,
    /// Gifts.
    Gifts,
}

impl ProcessSettings {
    /// Whether `process` runs here.
    pub(crate) fn has(&self, process: Process) -> bool {
        self.processes.contains(&process)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        processes: ProcessSettings,
    }

    #[test]
    fn all_run_unless_some_are_named() {
        let runs = |arguments: &[&str], process| {
            let arguments = ["test"].into_iter().chain(arguments.iter().copied());
            Settings::parse_from(arguments).processes.has(process)
        };
        for process in [Process::Invoices, Process::PurchaseCodes, Process::FridgeSales, Process::Gifts] {
            assert!(runs(&[], process), "{process:?}");
        }
        assert!(runs(&["--processes", "invoices,fridge-sales"], Process::FridgeSales));
        assert!(!runs(&["--processes", "invoices,fridge-sales"], Process::PurchaseCodes));
        assert!(Settings::try_parse_from(["test", "--processes", "fridges"]).is_err());
    }
}
