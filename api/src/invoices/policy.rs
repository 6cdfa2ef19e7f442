use std::time::Duration;

use clap::Args;
use humantime::parse_duration;
use workflows::{domain::BaseUnits, invoices::InvoicePolicy};

/// The policy of new invoices. Each keeps the one that it was created with.
#[derive(Debug, Clone, Args)]
pub(crate) struct InvoiceSettings {
    /// How long after the deadline unconfirmed money that covers an invoice may still be confirmed.
    #[arg(long = "invoice-confirmation-window", env = "PERDURA_INVOICE_CONFIRMATION_WINDOW", default_value = "24h", value_parser = parse_duration)]
    confirmation_window: Duration,
    /// How long after the deadline a partial payment may still be completed.
    #[arg(long = "invoice-partial-grace", env = "PERDURA_INVOICE_PARTIAL_GRACE", default_value = "15m", value_parser = parse_duration)]
    partial_grace: Duration,
    /// How long the address stays watched and reserved after an invoice ended.
    #[arg(long = "invoice-monitoring", env = "PERDURA_INVOICE_MONITORING", default_value = "24h", value_parser = parse_duration)]
    monitoring: Duration,
    /// How long the address rests after that.
    #[arg(long = "invoice-cool-down", env = "PERDURA_INVOICE_COOL_DOWN", default_value = "24h", value_parser = parse_duration)]
    cool_down: Duration,
    /// How much less than the amount is still enough, in the coin's smallest unit.
    #[arg(long = "invoice-tolerance", env = "PERDURA_INVOICE_TOLERANCE", default_value = "0")]
    tolerance: BaseUnits,
    /// Bound of the last look at the address service before a deadline acts.
    #[arg(long = "invoice-last-look", env = "PERDURA_INVOICE_LAST_LOOK", default_value = "10s", value_parser = parse_duration)]
    last_look: Duration,
    /// A run that nobody asks for its invoice ends after this.
    #[arg(long = "invoice-first-update", env = "PERDURA_INVOICE_FIRST_UPDATE", default_value = "1m", value_parser = parse_duration)]
    first_update: Duration,
    /// How long a creation may wait for an address.
    #[arg(long = "invoice-creation", env = "PERDURA_INVOICE_CREATION", default_value = "1h", value_parser = parse_duration)]
    creation: Duration,
    /// A step that fails for this long asks for a person's attention.
    #[arg(long = "invoice-attention", env = "PERDURA_INVOICE_ATTENTION", default_value = "1m", value_parser = parse_duration)]
    attention: Duration,
    /// Bound of a step on the database while a caller waits; shorter than the deadline of a request.
    #[arg(long = "invoice-answering", env = "PERDURA_INVOICE_ANSWERING", default_value = "3s", value_parser = parse_duration)]
    answering: Duration,
    /// Bound of one attempt at a step.
    #[arg(long = "invoice-attempt", env = "PERDURA_INVOICE_ATTEMPT", default_value = "10s", value_parser = parse_duration)]
    attempt: Duration,
    /// Longest pause between two attempts.
    #[arg(long = "invoice-retry-at-most", env = "PERDURA_INVOICE_RETRY_AT_MOST", default_value = "30s", value_parser = parse_duration)]
    retry_at_most: Duration,
}

impl InvoiceSettings {
    /// The policy of an invoice with this time to pay, on a network with this many confirmations.
    pub(crate) fn policy(&self, expires_in: Duration, confirmations: u32) -> InvoicePolicy {
        InvoicePolicy {
            expires_in,
            confirmation_window: self.confirmation_window,
            partial_grace: self.partial_grace,
            monitoring: self.monitoring,
            cool_down: self.cool_down,
            confirmations,
            tolerance: self.tolerance.clone(),
            last_look: self.last_look,
            first_update: self.first_update,
            creation: self.creation,
            attention: self.attention,
            answering: self.answering,
            attempt: self.attempt,
            retry_at_most: self.retry_at_most,
        }
    }
}
