use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    domain::{Confidential, Currency, Money},
    purchase_codes::{ScheduleMethod, ShortMonth, Unit},
};

fn money(text: &str, code: &str) -> Money {
    Money::parse(text, Currency::parse(code).unwrap()).unwrap()
}

fn request() -> PurchaseRequest {
    PurchaseRequest {
        purchase_id: Uuid::nil(),
        frontend: "frontend:app".to_owned(),
        client_id: "C-1".to_owned(),
        credit_line_id: "CL-1".to_owned(),
        loan_account_id: "LN-1".to_owned(),
        provider: "P-1".to_owned(),
        amount: money("1250", "MXN"),
        fingerprint: String::new(),
    }
}

fn monthly() -> Schedule {
    let method = ScheduleMethod::Interval { count: 1, unit: Unit::Months };
    Schedule { method, short_month: ShortMonth::LastDay, first_offset_days: 0 }
}

fn loan() -> Loan {
    Loan {
        is_the_clients: true,
        is_of_the_credit_line: true,
        is_approved: true,
        is_disbursed_for_purchase: false,
        amount: request().amount,
        schedule: monthly(),
    }
}

fn scan(provider: &str) -> UseRequest {
    UseRequest {
        cause: "use/1".to_owned(),
        provider: provider.to_owned(),
        code: Confidential::new("SCANNED".to_owned()),
        fingerprint: String::new(),
    }
}

fn expiry() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(72)
}

fn facts() -> ScanFacts<'static> {
    ScanFacts { code_matches: true, provider: "P-1", status: CodeStatus::Generado, expires_at: expiry() }
}

mod loans {
    use super::*;

    #[test]
    fn fit_or_tell_what_does_not() {
        let (request, fitting) = (request(), loan());
        assert_eq!(check_loan(&request, Some(&fitting)), Ok(()));
        assert_eq!(check_loan(&request, None), Err(LoanRefusal::NotTheClients));
        for (loan, refusal) in [
            (Loan { is_the_clients: false, ..fitting.clone() }, LoanRefusal::NotTheClients),
            (Loan { is_of_the_credit_line: false, ..fitting.clone() }, LoanRefusal::OtherCreditLine),
            (Loan { is_approved: false, ..fitting.clone() }, LoanRefusal::NotApproved),
            (Loan { amount: money("1250.01", "MXN"), ..fitting.clone() }, LoanRefusal::OtherAmount),
            (Loan { amount: money("1250", "USD"), ..fitting }, LoanRefusal::OtherAmount),
        ] {
            assert_eq!(check_loan(&request, Some(&loan)), Err(refusal), "{loan:?}");
        }
    }

    #[test]
    fn of_others_are_as_unknown_as_none() {
        let others = Loan {
            is_the_clients: false,
            is_of_the_credit_line: false,
            is_approved: false,
            is_disbursed_for_purchase: false,
            amount: money("1", "USD"),
            ..loan()
        };
        assert_eq!(check_loan(&request(), Some(&others)), check_loan(&request(), None));
    }
}

mod bindings {
    use super::*;

    #[test]
    fn are_a_json_array_of_four_texts() {
        assert_eq!(binding(&request()), r#"["LN-1","1250.00","MXN","P-1"]"#);
        let yen = PurchaseRequest { amount: money("1250", "JPY"), ..request() };
        assert_eq!(binding(&yen), r#"["LN-1","1250","JPY","P-1"]"#);
    }
}

mod terms {
    use super::*;

    #[test]
    fn belong_to_the_organisations_day() {
        let mexico = FixedOffset::west_opt(6 * 3600).unwrap();
        for (now, value_date, first) in [
            ("2026-05-15T05:30:00Z", "2026-05-14T23:30:00-06:00", "2026-06-14"),
            ("2026-05-15T06:00:00Z", "2026-05-15T00:00:00-06:00", "2026-06-15"),
            ("2026-03-01T05:59:59Z", "2026-02-28T23:59:59-06:00", "2026-03-28"),
            ("2027-01-01T03:00:00Z", "2026-12-31T21:00:00-06:00", "2027-01-31"),
        ] {
            let terms = disbursement_terms(&monthly(), now.parse().unwrap(), mexico).unwrap();
            assert_eq!(terms.value_date.to_rfc3339(), value_date);
            assert_eq!(terms.first_payment_date.to_string(), first, "{now}");
        }
    }

    #[test]
    fn need_a_schedule_with_dates() {
        let nothing = Schedule { method: ScheduleMethod::FixedDaysOfMonth { days: Vec::new() }, ..monthly() };
        let terms = disbursement_terms(&nothing, DateTime::UNIX_EPOCH, FixedOffset::east_opt(0).unwrap());
        assert_eq!(terms, Err(DateError::NoDates));
    }
}

mod scans {
    use super::*;

    #[test]
    fn are_too_late_exactly_at_the_end() {
        let just_before = expiry() - TimeDelta::milliseconds(1);
        assert_eq!(scan_verdict(&facts(), &scan("P-1"), just_before), Ok(()));
        assert_eq!(scan_verdict(&facts(), &scan("P-1"), expiry()), Err(UseRefusal::Expired));
    }

    #[test]
    fn hear_the_first_reason_in_order() {
        let late = expiry() + TimeDelta::days(1);
        let used = ScanFacts { status: CodeStatus::Usado, ..facts() };
        let wrong = ScanFacts { code_matches: false, ..used };
        assert_eq!(scan_verdict(&wrong, &scan("P-2"), late), Err(UseRefusal::WrongCode));
        assert_eq!(scan_verdict(&used, &scan("P-2"), late), Err(UseRefusal::OtherProvider));
        assert_eq!(scan_verdict(&used, &scan("P-1"), late), Err(UseRefusal::AlreadyUsed));
        assert_eq!(scan_verdict(&facts(), &scan("P-1"), late), Err(UseRefusal::Expired));
    }

    #[test]
    fn of_an_ended_code_are_too_late_whatever_the_clock_says() {
        let ended = ScanFacts { status: CodeStatus::Vencido, ..facts() };
        assert_eq!(scan_verdict(&ended, &scan("P-1"), DateTime::UNIX_EPOCH), Err(UseRefusal::Expired));
    }
}

fn any_status() -> impl Strategy<Value = CodeStatus> {
    prop::sample::select(vec![CodeStatus::Generado, CodeStatus::Usado, CodeStatus::Vencido])
}

fn any_provider() -> impl Strategy<Value = String> {
    prop_oneof!["P-[12]", ".*"]
}

/// Around the end of the time to scan, to the millisecond.
fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![-3..=3_i64, -300_000_000..300_000_000_i64].prop_map(|millis| expiry() + TimeDelta::milliseconds(millis))
}

fn any_loan() -> impl Strategy<Value = Loan> {
    let amount = prop_oneof![Just("1250"), Just("1250.01"), Just("0")];
    let currency = prop_oneof![Just("MXN"), Just("USD")];
    (any::<[bool; 4]>(), amount, currency).prop_map(
        |([is_the_clients, is_of_the_credit_line, is_approved, is_disbursed_for_purchase], amount, currency)| Loan {
            is_the_clients,
            is_of_the_credit_line,
            is_approved,
            is_disbursed_for_purchase,
            amount: money(amount, currency),
            schedule: monthly(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// What must never happen: a scan that uses a code twice, too late, for another provider, or another code.
    #[test]
    fn only_a_live_code_is_used_and_only_by_its_provider(
        code_matches in any::<bool>(),
        owner in any_provider(),
        scanner in any_provider(),
        status in any_status(),
        now in any_time(),
    ) {
        let facts = ScanFacts { code_matches, provider: &owner, status, expires_at: expiry() };
        let verdict = scan_verdict(&facts, &scan(&scanner), now);
        let is_live = status == CodeStatus::Generado && now < expiry();
        prop_assert_eq!(verdict.is_ok(), code_matches && owner == scanner && is_live);
        if status == CodeStatus::Usado {
            prop_assert!(verdict.is_err());
        }
        if now >= expiry() {
            prop_assert!(verdict.is_err());
        }
    }

    /// Whoever has not the code learns nothing else, and another provider nothing of its state.
    #[test]
    fn a_refusal_tells_strangers_nothing(
        code_matches in any::<bool>(),
        scanner in any_provider(),
        status in any_status(),
        now in any_time(),
    ) {
        let facts = ScanFacts { code_matches, status, ..facts() };
        let verdict = scan_verdict(&facts, &scan(&scanner), now);
        if !code_matches {
            prop_assert_eq!(verdict, Err(UseRefusal::WrongCode));
        } else if scanner != facts.provider {
            prop_assert_eq!(verdict, Err(UseRefusal::OtherProvider));
        }
    }

    /// Time only takes away: what is refused now is refused later.
    #[test]
    fn waiting_never_helps(status in any_status(), now in any_time(), wait in 0..1_000_000_i64) {
        let facts = ScanFacts { status, ..facts() };
        let later = scan_verdict(&facts, &scan("P-1"), now + TimeDelta::milliseconds(wait));
        if scan_verdict(&facts, &scan("P-1"), now).is_err() {
            prop_assert!(later.is_err());
        }
    }

    /// A loan that fits is the client's, of his credit line, of exactly this amount, and approved unless it is this very
    /// purchase that has disbursed it.
    #[test]
    fn only_a_loan_that_fits_is_disbursed(loan in any_loan()) {
        let fits = loan.is_the_clients
            && loan.is_of_the_credit_line
            && (loan.is_approved || loan.is_disbursed_for_purchase)
            && loan.amount == request().amount;
        prop_assert_eq!(check_loan(&request(), Some(&loan)).is_ok(), fits);
    }

    /// The binding is read back as exactly what was put in, so two different purchases never share one.
    #[test]
    fn a_binding_means_one_purchase(loan_account_id in ".*", provider in ".*", minor in 0..10_i64.pow(16)) {
        let amount = Money { minor, currency: Currency::parse("MXN").unwrap() };
        let request = PurchaseRequest { loan_account_id, provider, amount, ..request() };
        let read: [String; 4] = serde_json::from_str(&binding(&request)).unwrap();
        let PurchaseRequest { loan_account_id, provider, amount, .. } = request;
        prop_assert_eq!(read, [loan_account_id, amount.to_decimal(), "MXN".to_owned(), provider]);
    }
}
