//! Mambu's loan account in our words.

use uuid::Uuid;
use workflows::{
    contracts::core_banking::{Loan, ReadLoan},
    domain::{Currency, Money},
    purchase_codes::{Schedule, ScheduleMethod, ShortMonth, Unit},
};

use super::disbursement;
use crate::clients::mambu::{Keyed, LoanAccount, Mambu, MambuError, ScheduleSettings};

const OPERATION: &str = "reading a loan";
/// No date follows from it: there is no first payment date, and nothing is disbursed.
const NO_DATES: ScheduleMethod = ScheduleMethod::Interval { count: 0, unit: Unit::Days };

/// The loan as it is asked for; none when Mambu does not know it.
pub(super) async fn read(mambu: &Mambu, read: &ReadLoan) -> Result<Option<Loan>, MambuError> {
    let (account, client, credit_line) = tokio::try_join!(
        mambu.loan(&read.loan_account_id),
        mambu.client(&read.client_id),
        mambu.credit_arrangement(&read.credit_line_id),
    )?;
    let Some(account) = account.filter(|account| is_named(account.id.as_deref(), &read.loan_account_id)) else {
        return Ok(None);
    };
    let is_approved = account.account_state.as_deref() == Some("APPROVED");
    let client = key(client, &read.client_id);
    let credit_line = key(credit_line, &read.credit_line_id);
    Ok(Some(Loan {
        is_the_clients: client.is_some() && client == account.account_holder_key,
        is_of_the_credit_line: credit_line.is_some() && credit_line == account.credit_arrangement_key,
        is_approved,
        is_disbursed_for_purchase: !is_approved && is_disbursed(mambu, &account, read.tried_for).await?,
        amount: amount(&account)?,
        schedule: schedule(account.schedule_settings.unwrap_or_default()),
    }))
}

async fn is_disbursed(mambu: &Mambu, account: &LoanAccount, purchase_id: Option<Uuid>) -> Result<bool, MambuError> {
    let Some(purchase_id) = purchase_id else { return Ok(false) };
    let ours = match disbursement::find(mambu, purchase_id).await? {
        Some(ours) => Some(ours),
        None => disbursement::find_by_loan(mambu, account, purchase_id).await?,
    };
    Ok(ours.is_some_and(|ours| !ours.is_adjusted()))
}

/// Mambu finds by encoded key too, and may not mind capitals. Here a thing has one name: loans are claimed by it.
fn is_named(theirs: Option<&str>, ours: &str) -> bool {
    theirs.is_none_or(|theirs| theirs == ours)
}

fn key(found: Option<Keyed>, id: &str) -> Option<String> {
    found.filter(|found| is_named(found.id.as_deref(), id)).map(|found| found.encoded_key)
}

fn amount(account: &LoanAccount) -> Result<Money, MambuError> {
    let code = account.currency.as_ref().and_then(|currency| currency.code.as_deref());
    let code = code.ok_or_else(|| MambuError::senseless(OPERATION, "the loan has no currency"))?;
    let currency =
        Currency::parse(code).map_err(|_| MambuError::senseless(OPERATION, "its currency is none of ours"))?;
    Money::parse(account.loan_amount.as_str(), currency)
        .map_err(|_| MambuError::senseless(OPERATION, "its amount is none of its currency"))
}

fn schedule(settings: ScheduleSettings) -> Schedule {
    let first_offset_days = u32::try_from(settings.default_first_repayment_due_date_offset.unwrap_or_default());
    let short_month = match settings.short_month_handling_method.as_deref() {
        Some("FIRST_DAY_OF_NEXT_MONTH") => ShortMonth::FirstOfNext,
        _ => ShortMonth::LastDay,
    };
    let method = if first_offset_days.is_ok() { method(settings) } else { NO_DATES };
    Schedule { method, short_month, first_offset_days: first_offset_days.unwrap_or_default() }
}

fn method(settings: ScheduleSettings) -> ScheduleMethod {
    match settings.schedule_due_dates_method.as_deref() {
        Some("FIXED_DAYS_OF_MONTH") => fixed_days(&settings.fixed_days_of_month.unwrap_or_default()),
        Some("INTERVAL") | None => interval(&settings),
        Some(_) => NO_DATES,
    }
}

fn fixed_days(days: &[i64]) -> ScheduleMethod {
    let days: Result<Vec<u32>, _> = days.iter().map(|day| u32::try_from(*day)).collect();
    days.map_or(NO_DATES, |days| ScheduleMethod::FixedDaysOfMonth { days })
}

fn interval(settings: &ScheduleSettings) -> ScheduleMethod {
    let unit = match settings.repayment_period_unit.as_deref() {
        Some("DAYS") => Unit::Days,
        Some("WEEKS") => Unit::Weeks,
        Some("MONTHS") => Unit::Months,
        Some("YEARS") => Unit::Years,
        _ => return NO_DATES,
    };
    let count = settings.repayment_period_count.and_then(|count| u32::try_from(count).ok());
    count.map_or(NO_DATES, |count| ScheduleMethod::Interval { count, unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Schedule {
        schedule(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn mambus_schedules_are_understood() {
        let monthly = r#"{"scheduleDueDatesMethod":"INTERVAL","repaymentPeriodCount":1,"repaymentPeriodUnit":"MONTHS",
            "defaultFirstRepaymentDueDateOffset":3}"#;
        let method = ScheduleMethod::Interval { count: 1, unit: Unit::Months };
        assert_eq!(read(monthly), Schedule { method, short_month: ShortMonth::LastDay, first_offset_days: 3 });

        let fixed = r#"{"scheduleDueDatesMethod":"FIXED_DAYS_OF_MONTH","fixedDaysOfMonth":[31,15],
            "shortMonthHandlingMethod":"FIRST_DAY_OF_NEXT_MONTH"}"#;
        let method = ScheduleMethod::FixedDaysOfMonth { days: vec![31, 15] };
        assert_eq!(read(fixed), Schedule { method, short_month: ShortMonth::FirstOfNext, first_offset_days: 0 });
    }

    #[test]
    fn what_is_not_understood_has_no_dates() {
        for json in [
            "{}",
            r#"{"scheduleDueDatesMethod":"BY_MOONLIGHT"}"#,
            r#"{"repaymentPeriodCount":1,"repaymentPeriodUnit":"FORTNIGHTS"}"#,
            r#"{"repaymentPeriodCount":-1,"repaymentPeriodUnit":"DAYS"}"#,
            r#"{"repaymentPeriodUnit":"DAYS"}"#,
            r#"{"scheduleDueDatesMethod":"FIXED_DAYS_OF_MONTH","fixedDaysOfMonth":[-1]}"#,
            r#"{"repaymentPeriodCount":1,"repaymentPeriodUnit":"DAYS","defaultFirstRepaymentDueDateOffset":-2}"#,
        ] {
            assert_eq!(read(json).method, NO_DATES, "{json}");
        }
    }
}
