//! What has to become of an invoice, from its request, its cancellation and what was paid: all of it confirmed by now.

use chrono::{DateTime, TimeDelta, Utc};
use workflows::domain::BaseUnits;

use super::super::{memory::Known, outside::Output};

/// As many as the coin with the most, so that amounts of all coins can be read alike.
const DECIMALS: u8 = 18;

/// The end of an invoice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expectation {
    pub(super) status: &'static str,
    pub(super) exception: &'static str,
    /// Paid in time.
    pub(super) paid: BaseUnits,
}

impl Expectation {
    pub(super) fn of(known: &Known, outputs: &[&Output], grace: TimeDelta) -> Self {
        let (in_time, late) = by_deadline(known, outputs, grace);
        let (due, paid) = (units(known.text("amount")), sum(&in_time));
        let status = match paid >= due {
            _ if known.was_cancelled() => "cancelled",
            true => "finished",
            false if known.is_short => "expired",
            false if paid.is_zero() => "waiting_for_deposit",
            false => "partially_paid",
        };
        let exception = match paid > due {
            _ if known.was_cancelled() && outputs.is_empty() => "none",
            _ if known.was_cancelled() => "paid_after_cancel",
            _ if !late.is_empty() => "paid_late",
            true => "paid_over",
            false if paid.is_zero() || paid == due => "none",
            false => "paid_partial",
        };
        Self { status, exception, paid }
    }
}

/// In time is what was first seen before the deadline, what followed it within the grace, and what was accepted since.
pub(super) fn by_deadline<'a>(
    known: &Known,
    outputs: &[&'a Output],
    grace: TimeDelta,
) -> (Vec<&'a Output>, Vec<&'a Output>) {
    if known.is_accepted_late {
        return (outputs.to_vec(), Vec::new());
    }
    let expires_at = time(known.text("expires_at"));
    let began = outputs.iter().any(|output| output.first_seen_at < expires_at);
    let end = if began { expires_at + grace } else { expires_at };
    outputs.iter().partition(|output| output.first_seen_at < end)
}

pub(super) fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("a time of the API").to_utc()
}

/// A plain decimal, in a unit that is small enough for every coin.
pub(super) fn units(text: &str) -> BaseUnits {
    BaseUnits::parse(text, DECIMALS).expect("a plain decimal")
}

/// The same amount for people.
pub(super) fn plain(units: &BaseUnits) -> String {
    units.to_decimal(DECIMALS)
}

fn sum(outputs: &[&Output]) -> BaseUnits {
    let amounts: Vec<_> = outputs.iter().map(|output| units(&output.amount)).collect();
    amounts.iter().sum()
}
