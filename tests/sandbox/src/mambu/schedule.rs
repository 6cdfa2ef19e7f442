//! When a loan is repaid: Mambu's settings, and the due dates that follow from them.

use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// A hundred years of months: no loan is longer.
const MOST_INSTALLMENTS: u32 = 1200;
const MOST_UNITS: u32 = 1000;
const MOST_OFFSET_DAYS: u32 = 3650;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DueDatesMethod {
    Interval,
    FixedDaysOfMonth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PeriodUnit {
    Days,
    Weeks,
    Months,
    Years,
}

/// What becomes of a fixed day that a month does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ShortMonth {
    LastDayInMonth,
    FirstDayOfNextMonth,
}

/// The settings of a loan product that decide the due dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScheduleSettings {
    pub(crate) method: DueDatesMethod,
    pub(crate) unit: PeriodUnit,
    /// Units between two due dates.
    pub(crate) count: u32,
    /// Of `FIXED_DAYS_OF_MONTH`: 1 to 31.
    pub(crate) fixed_days: Vec<u32>,
    /// Of `FIXED_DAYS_OF_MONTH` alone: an interval ends on the last day of a short month.
    pub(crate) short_month: ShortMonth,
    /// Days that all due dates come later.
    pub(crate) first_offset_days: u32,
    pub(crate) installments: u32,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            method: DueDatesMethod::Interval,
            unit: PeriodUnit::Months,
            count: 1,
            fixed_days: Vec::new(),
            short_month: ShortMonth::LastDayInMonth,
            first_offset_days: 0,
            installments: 12,
        }
    }
}

impl ScheduleSettings {
    /// Refuses what no product could have.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let within = |value: u32, most: u32| (1..=most).contains(&value);
        if !within(self.count, MOST_UNITS) || !within(self.installments, MOST_INSTALLMENTS) {
            let reason = format!("count is 1 to {MOST_UNITS}, installments are 1 to {MOST_INSTALLMENTS}");
            return Err(Problem::unprocessable(reason));
        }
        if self.first_offset_days > MOST_OFFSET_DAYS {
            return Err(Problem::unprocessable(format!("first_offset_days are at most {MOST_OFFSET_DAYS}")));
        }
        let has_days = !self.fixed_days.is_empty();
        if has_days != (self.method == DueDatesMethod::FixedDaysOfMonth) {
            return Err(Problem::unprocessable("FIXED_DAYS_OF_MONTH and fixed_days go together"));
        }
        if !self.fixed_days.iter().all(|day| within(*day, 31)) {
            return Err(Problem::unprocessable("fixed_days are 1 to 31"));
        }
        if !has_days && self.short_month == ShortMonth::FirstDayOfNextMonth {
            return Err(Problem::unprocessable("FIRST_DAY_OF_NEXT_MONTH is for FIXED_DAYS_OF_MONTH alone"));
        }
        Ok(())
    }

    /// The rule for short months, where it matters: Mambu has none for intervals, nor for days that every month has.
    pub(crate) fn short_month(&self) -> Option<ShortMonth> {
        self.fixed_days.iter().any(|day| *day > 28).then_some(self.short_month)
    }

    /// When the first repayment of a loan is due that is disbursed on this day; none beyond the calendar.
    pub(crate) fn first_due_date(&self, disbursed: NaiveDate) -> Option<NaiveDate> {
        let first = *self.regular_dates(disbursed).first()?;
        first.checked_add_days(Days::new(self.first_offset_days.into()))
    }

    /// All due dates, where the first one is `first`: the others are relative to it.
    pub(crate) fn due_dates(&self, disbursed: NaiveDate, first: NaiveDate) -> Vec<NaiveDate> {
        let dates = self.regular_dates(disbursed);
        let shift = dates.first().map_or(TimeDelta::zero(), |regular| first - *regular);
        dates.into_iter().filter_map(|date| date.checked_add_signed(shift)).collect()
    }

    fn regular_dates(&self, disbursed: NaiveDate) -> Vec<NaiveDate> {
        match self.method {
            DueDatesMethod::Interval => self.interval_dates(disbursed),
            DueDatesMethod::FixedDaysOfMonth => self.fixed_dates(disbursed),
        }
    }

    /// Each counted from the disbursement, so that the 31st stays the anchor after a short month.
    fn interval_dates(&self, disbursed: NaiveDate) -> Vec<NaiveDate> {
        (1..=self.installments).map_while(|number| self.after(disbursed, number.checked_mul(self.count)?)).collect()
    }

    fn after(&self, date: NaiveDate, units: u32) -> Option<NaiveDate> {
        match self.unit {
            PeriodUnit::Days => date.checked_add_days(Days::new(units.into())),
            PeriodUnit::Weeks => date.checked_add_days(Days::new(u64::from(units) * 7)),
            PeriodUnit::Months => date.checked_add_months(Months::new(units)),
            PeriodUnit::Years => date.checked_add_months(Months::new(units.checked_mul(12)?)),
        }
    }

    fn fixed_dates(&self, disbursed: NaiveDate) -> Vec<NaiveDate> {
        let mut days = self.fixed_days.clone();
        days.sort_unstable();
        let mut dates = Vec::new();
        let mut month = disbursed.with_day(1);
        while let Some(first) = month.filter(|_| dates.len() < self.wanted()) {
            dates.extend(days.iter().filter_map(|day| self.day_of(first, *day)).filter(|date| *date > disbursed));
            // The 31st of one month may be the first of the next.
            dates.dedup();
            month = first.checked_add_months(Months::new(1));
        }
        dates.truncate(self.wanted());
        dates
    }

    fn wanted(&self) -> usize {
        usize::try_from(self.installments).unwrap_or(usize::MAX)
    }

    /// The fixed day of the month that begins with `first`.
    fn day_of(&self, first: NaiveDate, day: u32) -> Option<NaiveDate> {
        let next_month = first.checked_add_months(Months::new(1))?;
        first.with_day(day).or_else(|| match self.short_month {
            ShortMonth::LastDayInMonth => next_month.pred_opt(),
            ShortMonth::FirstDayOfNextMonth => Some(next_month),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn settings(json: &str) -> ScheduleSettings {
        let settings: ScheduleSettings = serde_json::from_str(json).unwrap();
        settings.check().unwrap();
        settings
    }

    fn dates(settings: &ScheduleSettings, disbursed: &str) -> Vec<String> {
        let first = settings.first_due_date(date(disbursed)).unwrap();
        settings.due_dates(date(disbursed), first).iter().take(4).map(NaiveDate::to_string).collect()
    }

    #[test]
    fn months_keep_their_anchor_through_short_ones() {
        let monthly = ScheduleSettings::default();
        assert_eq!(dates(&monthly, "2026-01-31"), ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]);
        assert_eq!(dates(&monthly, "2028-01-31")[0], "2028-02-29");
        assert_eq!(dates(&monthly, "2026-12-14")[0], "2027-01-14");
        assert_eq!(monthly.due_dates(date("2026-01-31"), date("2026-02-28")).len(), 12);
    }

    #[test]
    fn intervals_are_of_any_unit() {
        assert_eq!(dates(&settings(r#"{"unit":"DAYS","count":10}"#), "2026-02-25")[..2], ["2026-03-07", "2026-03-17"]);
        assert_eq!(dates(&settings(r#"{"unit":"WEEKS","count":2}"#), "2026-12-25")[0], "2027-01-08");
        assert_eq!(dates(&settings(r#"{"unit":"YEARS"}"#), "2028-02-29")[..2], ["2029-02-28", "2030-02-28"]);
        assert_eq!(dates(&settings(r#"{"unit":"MONTHS","count":3}"#), "2026-11-30")[0], "2027-02-28");
    }

    #[test]
    fn fixed_days_come_after_the_disbursement_by_the_rule_for_short_months() {
        let last = settings(r#"{"method":"FIXED_DAYS_OF_MONTH","fixed_days":[31,15]}"#);
        assert_eq!(dates(&last, "2026-02-15"), ["2026-02-28", "2026-03-15", "2026-03-31", "2026-04-15"]);
        let next = r#"{"method":"FIXED_DAYS_OF_MONTH","fixed_days":[31],"short_month":"FIRST_DAY_OF_NEXT_MONTH"}"#;
        assert_eq!(dates(&settings(next), "2026-01-31")[..3], ["2026-03-01", "2026-03-31", "2026-05-01"]);
        let both = r#"{"method":"FIXED_DAYS_OF_MONTH","fixed_days":[1,31],"short_month":"FIRST_DAY_OF_NEXT_MONTH"}"#;
        assert_eq!(dates(&settings(both), "2026-04-15")[..3], ["2026-05-01", "2026-05-31", "2026-06-01"]);
    }

    #[test]
    fn an_offset_and_a_chosen_date_move_all_dates() {
        let later = settings(r#"{"first_offset_days":5}"#);
        assert_eq!(dates(&later, "2026-05-14")[..2], ["2026-06-19", "2026-07-19"]);
        let chosen = later.due_dates(date("2026-05-14"), date("2026-06-15"));
        assert_eq!(chosen[..2], [date("2026-06-15"), date("2026-07-15")]);
    }

    #[test]
    fn what_no_product_has_is_refused() {
        for bad in [
            r#"{"count":0}"#,
            r#"{"installments":0}"#,
            r#"{"first_offset_days":100000}"#,
            r#"{"method":"FIXED_DAYS_OF_MONTH"}"#,
            r#"{"method":"FIXED_DAYS_OF_MONTH","fixed_days":[0]}"#,
            r#"{"method":"FIXED_DAYS_OF_MONTH","fixed_days":[32]}"#,
            r#"{"fixed_days":[1]}"#,
            r#"{"short_month":"FIRST_DAY_OF_NEXT_MONTH"}"#,
        ] {
            let settings: ScheduleSettings = serde_json::from_str(bad).unwrap();
            assert!(settings.check().is_err(), "{bad}");
        }
    }
}
