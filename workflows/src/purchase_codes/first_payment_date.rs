//! When the first repayment is due: Mambu's rules, computed before the disbursement and checked against its answer.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// How repayment dates follow from the disbursement, as Mambu's product settings say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// By an interval, or on fixed days of the month.
    pub method: ScheduleMethod,
    /// What happens to a day that a month does not have.
    pub short_month: ShortMonth,
    /// Days that the first repayment comes later.
    pub first_offset_days: u32,
}

/// Where repayment dates come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleMethod {
    /// Every so many units, `INTERVAL`.
    Interval {
        /// How many.
        count: u32,
        /// Of what.
        unit: Unit,
    },
    /// On these days of every month, `FIXED_DAYS_OF_MONTH`: 1 to 31.
    FixedDaysOfMonth {
        /// In any order.
        days: Vec<u32>,
    },
}

/// Unit of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Days.
    Days,
    /// Weeks.
    Weeks,
    /// Months of the calendar; the day of the disbursement stays the anchor.
    Months,
    /// Years of the calendar.
    Years,
}

/// What happens to the 31st of a month that has 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortMonth {
    /// The last day of that month, `LAST_DAY_IN_MONTH`.
    LastDay,
    /// The first day of the month after it, `FIRST_DAY_OF_NEXT_MONTH`.
    FirstOfNext,
}

/// Why there is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// An interval of nothing, no days, or days that no month has.
    #[error("the schedule has no dates")]
    NoDates,
    /// Beyond the calendar.
    #[error("the date is too far away")]
    TooFar,
}

const MONTHS_OF_A_YEAR: u32 = 12;
const DAYS_OF_A_WEEK: u64 = 7;
const LONGEST_MONTH: u32 = 31;

/// The first repayment date of a loan that is disbursed on `disbursed`, by the organisation's calendar.
///
/// It is later than the disbursement, always. Mambu's rule for short months is one of fixed days: an interval keeps its
/// day, or ends on the last one of a month that lacks it.
pub fn first_payment_date(schedule: &Schedule, disbursed: NaiveDate) -> Result<NaiveDate, DateError> {
    let due = match &schedule.method {
        ScheduleMethod::Interval { count: 0, .. } => return Err(DateError::NoDates),
        ScheduleMethod::Interval { count, unit } => after_interval(disbursed, *count, *unit),
        ScheduleMethod::FixedDaysOfMonth { days } if !are_days(days) => return Err(DateError::NoDates),
        ScheduleMethod::FixedDaysOfMonth { days } => next_fixed_day(disbursed, days, schedule.short_month),
    };
    due.and_then(|due| due.checked_add_days(Days::new(schedule.first_offset_days.into()))).ok_or(DateError::TooFar)
}

fn are_days(days: &[u32]) -> bool {
    !days.is_empty() && days.iter().all(|day| (1..=LONGEST_MONTH).contains(day))
}

fn after_interval(disbursed: NaiveDate, count: u32, unit: Unit) -> Option<NaiveDate> {
    match unit {
        Unit::Days => disbursed.checked_add_days(Days::new(count.into())),
        Unit::Weeks => disbursed.checked_add_days(Days::new(u64::from(count) * DAYS_OF_A_WEEK)),
        Unit::Months => disbursed.checked_add_months(Months::new(count)),
        Unit::Years => disbursed.checked_add_months(Months::new(count.checked_mul(MONTHS_OF_A_YEAR)?)),
    }
}

/// The earliest of the days after the disbursement. Every day of the next month is one, so no later month is looked at.
fn next_fixed_day(disbursed: NaiveDate, days: &[u32], short: ShortMonth) -> Option<NaiveDate> {
    let this_month = disbursed.with_day(1)?;
    let next_month = this_month.checked_add_months(Months::new(1));
    [Some(this_month), next_month]
        .into_iter()
        .flatten()
        .flat_map(|month| days.iter().filter_map(move |day| on_day(month, *day, short)))
        .filter(|due| *due > disbursed)
        .min()
}

/// The day `day` of the month that begins on `first`, or what stands in for it.
fn on_day(first: NaiveDate, day: u32, short: ShortMonth) -> Option<NaiveDate> {
    first.with_day(day).or_else(|| {
        let next_month = first.checked_add_months(Months::new(1))?;
        match short {
            ShortMonth::LastDay => next_month.pred_opt(),
            ShortMonth::FirstOfNext => Some(next_month),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ShortMonth::{FirstOfNext, LastDay};
    use Unit::{Days as D, Months as M, Weeks as W, Years as Y};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn interval(count: u32, unit: Unit) -> Schedule {
        Schedule { method: ScheduleMethod::Interval { count, unit }, short_month: LastDay, first_offset_days: 0 }
    }

    fn fixed(days: &[u32], short_month: ShortMonth) -> Schedule {
        let method = ScheduleMethod::FixedDaysOfMonth { days: days.to_vec() };
        Schedule { method, short_month, first_offset_days: 0 }
    }

    fn with_offset(schedule: Schedule, first_offset_days: u32) -> Schedule {
        Schedule { first_offset_days, ..schedule }
    }

    #[test]
    fn an_interval_is_counted_from_the_disbursement() {
        for (disbursed, count, unit, expected) in [
            ("2026-05-14", 1, M, "2026-06-14"),
            ("2026-05-14", 1, D, "2026-05-15"),
            ("2026-12-31", 1, D, "2027-01-01"),
            ("2026-02-28", 30, D, "2026-03-30"),
            ("2028-02-28", 1, D, "2028-02-29"),
            ("2026-05-14", 2, W, "2026-05-28"),
            ("2026-12-25", 1, W, "2027-01-01"),
            ("2026-11-15", 3, M, "2027-02-15"),
            ("2026-05-14", 12, M, "2027-05-14"),
            ("2026-05-14", 1, Y, "2027-05-14"),
            ("2024-02-29", 4, Y, "2028-02-29"),
        ] {
            let due = first_payment_date(&interval(count, unit), date(disbursed));
            assert_eq!(due, Ok(date(expected)), "{disbursed} and {count} {unit:?}");
        }
    }

    #[test]
    fn an_interval_ends_on_the_last_day_of_a_month_that_is_too_short() {
        for (disbursed, count, unit, expected) in [
            ("2026-01-31", 1, M, "2026-02-28"),
            ("2026-01-30", 1, M, "2026-02-28"),
            ("2026-01-29", 1, M, "2026-02-28"),
            ("2026-01-28", 1, M, "2026-02-28"),
            ("2028-01-31", 1, M, "2028-02-29"),
            ("2028-01-29", 1, M, "2028-02-29"),
            ("2026-03-31", 1, M, "2026-04-30"),
            ("2026-10-31", 4, M, "2027-02-28"),
            ("2024-02-29", 1, Y, "2025-02-28"),
            ("2096-02-29", 4, Y, "2100-02-28"),
        ] {
            for short_month in [LastDay, FirstOfNext] {
                let schedule = Schedule { short_month, ..interval(count, unit) };
                let due = first_payment_date(&schedule, date(disbursed));
                assert_eq!(due, Ok(date(expected)), "{disbursed} and {count} {unit:?}, {short_month:?}");
            }
        }
    }

    #[test]
    fn the_day_of_the_disbursement_stays_the_anchor() {
        let due = first_payment_date(&interval(2, M), date("2026-01-31"));
        assert_eq!(due, Ok(date("2026-03-31")), "not the 28th, though February comes between");
    }

    #[test]
    fn a_fixed_day_comes_after_the_disbursement() {
        for (disbursed, days, last_day, first_of_next) in [
            ("2026-05-14", vec![15], "2026-05-15", "2026-05-15"),
            ("2026-05-15", vec![15], "2026-06-15", "2026-06-15"),
            ("2026-05-16", vec![15], "2026-06-15", "2026-06-15"),
            ("2026-12-20", vec![15], "2027-01-15", "2027-01-15"),
            ("2026-05-14", vec![30, 15], "2026-05-15", "2026-05-15"),
            ("2026-05-15", vec![30, 15], "2026-05-30", "2026-05-30"),
            ("2026-05-30", vec![30, 15, 15], "2026-06-15", "2026-06-15"),
            ("2026-01-31", vec![31], "2026-02-28", "2026-03-01"),
            ("2028-02-28", vec![31], "2028-02-29", "2028-03-01"),
            ("2028-02-29", vec![31], "2028-03-31", "2028-03-01"),
            ("2026-02-28", vec![30], "2026-03-30", "2026-03-01"),
            ("2026-02-28", vec![28], "2026-03-28", "2026-03-28"),
            ("2026-02-27", vec![29, 30, 31], "2026-02-28", "2026-03-01"),
            ("2026-04-30", vec![31], "2026-05-31", "2026-05-01"),
            ("2026-05-01", vec![31], "2026-05-31", "2026-05-31"),
            ("2026-04-30", vec![1], "2026-05-01", "2026-05-01"),
        ] {
            let due = |short| first_payment_date(&fixed(&days, short), date(disbursed));
            assert_eq!(due(LastDay), Ok(date(last_day)), "{disbursed}, {days:?}");
            assert_eq!(due(FirstOfNext), Ok(date(first_of_next)), "{disbursed}, {days:?}");
        }
    }

    #[test]
    fn an_offset_shifts_the_first_date_by_days() {
        let monthly = with_offset(interval(1, M), 10);
        assert_eq!(first_payment_date(&monthly, date("2026-01-31")), Ok(date("2026-03-10")));
        let fixed = with_offset(fixed(&[31], FirstOfNext), 30);
        assert_eq!(first_payment_date(&fixed, date("2026-04-15")), Ok(date("2026-05-31")));
    }

    #[test]
    fn a_schedule_without_dates_is_an_error() {
        let disbursed = date("2026-05-14");
        for unit in [D, W, M, Y] {
            assert_eq!(first_payment_date(&interval(0, unit), disbursed), Err(DateError::NoDates));
        }
        for days in [&[][..], &[0], &[32], &[15, 32], &[0, 15], &[u32::MAX]] {
            assert_eq!(first_payment_date(&fixed(days, FirstOfNext), disbursed), Err(DateError::NoDates), "{days:?}");
        }
    }

    #[test]
    fn a_date_beyond_the_calendar_is_an_error() {
        for unit in [D, W, M, Y] {
            let far = interval(u32::MAX, unit);
            assert_eq!(first_payment_date(&far, date("2026-05-14")), Err(DateError::TooFar), "{unit:?}");
            assert_eq!(first_payment_date(&interval(1, unit), NaiveDate::MAX), Err(DateError::TooFar));
        }
        let far = with_offset(interval(1, M), u32::MAX);
        assert_eq!(first_payment_date(&far, date("2026-05-14")), Err(DateError::TooFar));
        assert_eq!(first_payment_date(&fixed(&[31], LastDay), NaiveDate::MAX), Err(DateError::TooFar));
    }

    fn any_date() -> impl Strategy<Value = NaiveDate> {
        (1990..2110_i32, 1..=366_u32).prop_filter_map("no such day", |(year, day)| NaiveDate::from_yo_opt(year, day))
    }

    fn any_unit() -> impl Strategy<Value = Unit> {
        prop::sample::select(vec![D, W, M, Y])
    }

    fn any_short_month() -> impl Strategy<Value = ShortMonth> {
        prop::sample::select(vec![LastDay, FirstOfNext])
    }

    fn any_method() -> impl Strategy<Value = ScheduleMethod> {
        prop_oneof![
            (prop_oneof![0..40_u32, any::<u32>()], any_unit())
                .prop_map(|(count, unit)| ScheduleMethod::Interval { count, unit }),
            prop::collection::vec(prop_oneof![0..34_u32, any::<u32>()], 0..5)
                .prop_map(|days| ScheduleMethod::FixedDaysOfMonth { days }),
        ]
    }

    fn any_schedule() -> impl Strategy<Value = Schedule> {
        (any_method(), any_short_month(), prop_oneof![0..100_u32, any::<u32>()])
            .prop_map(|(method, short_month, first_offset_days)| Schedule { method, short_month, first_offset_days })
    }

    /// Whether a repayment on one of `days` falls on `date`, told from the calendar alone.
    fn is_due_on(date: NaiveDate, days: &[u32], short: ShortMonth) -> bool {
        let yesterday = date.pred_opt().unwrap();
        let is_last = date.succ_opt().unwrap().day() == 1;
        days.iter().any(|day| match short {
            _ if *day == date.day() => true,
            LastDay => is_last && *day > date.day(),
            FirstOfNext => date.day() == 1 && *day > yesterday.day(),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// Whatever a product says and whenever it is: an answer or an error, and no answer that is not in the future.
        #[test]
        fn nothing_panics_and_no_date_is_past(
            schedule in any_schedule(),
            year in -262_143..=262_142_i32,
            day in 1..=366_u32,
        ) {
            let disbursed = NaiveDate::from_yo_opt(year, day).unwrap_or(NaiveDate::MIN);
            if let Ok(due) = first_payment_date(&schedule, disbursed) {
                prop_assert!(due > disbursed);
            }
        }

        /// The first due day is taken: none lies between it and the disbursement.
        #[test]
        fn fixed_days_follow_the_calendar(
            days in prop::collection::vec(1..=31_u32, 1..4),
            short in any_short_month(),
            disbursed in any_date(),
        ) {
            let due = first_payment_date(&fixed(&days, short), disbursed).unwrap();
            let by_calendar = disbursed.iter_days().skip(1).find(|date| is_due_on(*date, &days, short));
            prop_assert_eq!(Some(due), by_calendar);
        }

        /// The right month, and in it the day of the disbursement, or the last one.
        #[test]
        fn months_keep_their_anchor(count in 1..600_u32, disbursed in any_date()) {
            let due = first_payment_date(&interval(count, M), disbursed).unwrap();
            let months = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month());
            prop_assert_eq!(months(due) - months(disbursed), i64::from(count));
            let is_last = due.succ_opt().unwrap().day() == 1;
            prop_assert!(due.day() == disbursed.day() || (is_last && due.day() < disbursed.day()));
        }

        /// A year is twelve months, a week seven days.
        #[test]
        fn units_agree(count in 1..50_u32, disbursed in any_date()) {
            let after = |count, unit| first_payment_date(&interval(count, unit), disbursed).unwrap();
            prop_assert_eq!(after(count, Y), after(count * 12, M));
            prop_assert_eq!(after(count, W), after(count * 7, D));
        }

        /// An offset of days is an offset of days, whatever the schedule.
        #[test]
        fn offsets_only_shift(
            method in any_method(),
            short_month in any_short_month(),
            offset in 0..1000_u32,
            disbursed in any_date(),
        ) {
            let schedule = Schedule { method, short_month, first_offset_days: 0 };
            if let Ok(due) = first_payment_date(&schedule, disbursed) {
                let later = first_payment_date(&with_offset(schedule, offset), disbursed);
                let shifted = due.checked_add_days(Days::new(offset.into())).ok_or(DateError::TooFar);
                prop_assert_eq!(later, shifted);
            }
        }

        /// The order in which a product names its days changes nothing.
        #[test]
        fn days_have_no_order(
            days in prop::collection::vec(1..=31_u32, 1..6),
            short in any_short_month(),
            disbursed in any_date(),
        ) {
            let mut reversed = days.clone();
            reversed.reverse();
            let due = first_payment_date(&fixed(&days, short), disbursed);
            prop_assert_eq!(due, first_payment_date(&fixed(&reversed, short), disbursed));
        }
    }
}
