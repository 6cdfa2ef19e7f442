use reqwest::StatusCode;
use serde_json::Value;

use super::*;
use crate::fake_system::FakeSystem;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), body: body.as_bytes().to_vec() }
}

fn refusal(status: u16, reason: &str) -> MambuError {
    let body = format!(r#"{{"errors":[{{"errorCode":999,"errorSource":null,"errorReason":"{reason}"}}]}}"#);
    read::<Value>("asking", &answer(status, &body)).unwrap_err()
}

fn mambu(base: Url, credentials: Credentials) -> Mambu {
    Mambu::new(base, credentials, Duration::from_mins(1)).unwrap()
}

fn by_key() -> Credentials {
    Credentials::ApiKey("a-very-secret-key".into())
}

fn order() -> DisbursementOrder<'static> {
    DisbursementOrder {
        loan_id: "LN/1",
        key: Uuid::nil(),
        external_id: "pc-1",
        amount: Decimal::new("123456789012345.67".to_owned()),
        value_date: "2026-05-14T10:15:00.123-06:00".parse().unwrap(),
        first_repayment_date: NaiveDate::from_ymd_opt(2026, 6, 14).unwrap(),
    }
}

#[test]
fn a_loan_keeps_its_digits() {
    let body = r#"{"id":"LN-1","accountHolderType":"CLIENT","accountHolderKey":"c","loanAmount":123456789012345.67,
        "accountState":"APPROVED","creditArrangementKey":null,"currency":{"code":"MXN"},"balances":{"principalDue":0.1},
        "scheduleSettings":{"scheduleDueDatesMethod":"FIXED_DAYS_OF_MONTH","fixedDaysOfMonth":[15,31]}}"#;
    let loan: LoanAccount = read("reading", &answer(200, body)).unwrap();
    assert_eq!(loan.loan_amount.as_str(), "123456789012345.67");
    assert_eq!(loan.credit_arrangement_key, None);
    assert_eq!(loan.schedule_settings.unwrap().fixed_days_of_month, Some(vec![15, 31]));
}

#[test]
fn a_disbursement_is_written_exactly_and_in_the_organisations_time() {
    let order = order();
    let body = serde_json::to_string(&DisbursementBody::new(&order, Some("purchase_code"))).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"amount":123456789012345.67,"valueDate":"2026-05-14T10:15:00-06:00","#,
            r#""firstRepaymentDate":"2026-06-14T00:00:00-06:00","externalId":"pc-1","#,
            r#""transactionDetails":{"transactionChannelId":"purchase_code"}}"#
        )
    );
    let without = serde_json::to_string(&DisbursementBody::new(&order, None)).unwrap();
    assert!(!without.contains("transactionDetails"));
}

#[test]
fn dates_keep_their_offset() {
    let body = r#"{"id":"174","type":"DISBURSEMENT","valueDate":"2026-05-14T23:59:59-06:00","amount":1250.00}"#;
    let transaction: Transaction = read("reading", &answer(201, body)).unwrap();
    assert_eq!(transaction.value_date.unwrap().to_rfc3339(), "2026-05-14T23:59:59-06:00");
    assert_eq!(transaction.amount.unwrap().as_str(), "1250.00");

    let body = r#"{"installments":[{"number":"2","dueDate":"2026-07-14T00:00:00-06:00"},
        {"number":"1","dueDate":"2026-06-14T23:30:00-06:00"},{"number":"3"}]}"#;
    let schedule: LoanSchedule = read("reading", &answer(200, body)).unwrap();
    assert_eq!(schedule.first_due_date(), NaiveDate::from_ymd_opt(2026, 6, 14));
    let none: LoanSchedule = read("reading", &answer(200, "{}")).unwrap();
    assert_eq!(none.first_due_date(), None);
}

#[test]
fn refusals_are_told_apart_by_their_reason() {
    for (status, reason) in [(400, "INVALID_ACCOUNT_STATE"), (403, "MAXIMUM_EXPOSURE_EXCEEDED"), (404, "NOT_THERE")] {
        assert!(matches!(refusal(status, reason), MambuError::Refused { .. }), "{status} {reason}");
    }
    for (status, reason) in [(400, "BLOCKING_OPERATION_IN_PROGRESS"), (403, "EXCESSIVE_INVALID_REQUESTS")] {
        assert!(matches!(refusal(status, reason), MambuError::NotNow { .. }), "{status} {reason}");
    }
    for (status, reason) in [(401, "INVALID_CREDENTIALS"), (403, "INVALID_PERMISSIONS"), (401, "WHATEVER")] {
        let error = refusal(status, reason);
        assert!(matches!(error, MambuError::NotPermitted { .. }) && error.is_for_an_operator(), "{status} {reason}");
    }
}

#[test]
fn only_mambus_own_words_say_that_there_is_nothing() {
    assert!(refusal(404, "INVALID_LOAN_ACCOUNT_ID").is_absence());
    assert!(refusal(400, "INVALID_CLIENT_ID").is_absence());
    assert!(!refusal(400, "INVALID_TENANT_ID").is_absence());
    assert!(!refusal(400, "INVALID_PARAMETERS").is_absence());
    assert!(!read::<Value>("asking", &answer(404, "<html>no such page</html>")).unwrap_err().is_absence());
}

#[test]
fn what_cannot_be_read_leaves_the_outcome_open() {
    let own = r#"{"errors":[{"errorCode":6,"errorReason":"INVALID_ACCOUNT_STATE"}]}"#;
    for (status, body) in [
        (429, ""),
        (429, own),
        (500, own),
        (502, "<html><h1>Bad Gateway</h1></html>"),
        (503, ""),
        (408, own),
        (302, ""),
        (400, ""),
        (400, "<html>blocked</html>"),
        (404, "[]"),
        (400, r#"{"errors":[]}"#),
        (400, r#"{"errors":[{"errorReason":"Ana Pérez owes 5"}]}"#),
        (201, ""),
        (201, "<html></html>"),
        (200, r#"{"id":"174","type":"DISBURSEM"#),
        (201, r#"{"type":"DISBURSEMENT"}"#),
    ] {
        let error = read::<Transaction>("disbursing", &answer(status, body)).unwrap_err();
        assert!(matches!(error, MambuError::OutcomeUnknown { .. }), "{status} {body}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("Ana"), "{error:?}");
    }
    for status in [401, 403] {
        let error = read::<Transaction>("disbursing", &answer(status, "")).unwrap_err();
        assert!(matches!(error, MambuError::NotPermitted { .. }), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_request_says_who_asks_and_which_version() {
    let system = FakeSystem::start(|_, _| Some((201, r#"{"id":"174"}"#.to_owned()))).await;
    let base = system.url().join("mambu/api").unwrap();
    mambu(base.clone(), by_key()).disburse(&order()).await.unwrap();
    let basic = Credentials::Basic { user: "perdura".to_owned(), password: "secret".into() };
    mambu(base, basic).adjust("174", Uuid::nil(), "why").await.unwrap();

    let asked = system.asked();
    assert!(
        asked[0].starts_with("POST /mambu/api/loans/LN%2F1/disbursement-transactions HTTP/1.1\r\n"),
        "{}",
        asked[0]
    );
    for header in
        ["apikey: a-very-secret-key", "accept: application/vnd.mambu.v2+json", "content-type: application/json"]
    {
        assert!(asked[0].contains(header), "{header}: {}", asked[0]);
    }
    assert!(asked[0].contains("idempotency-key: 00000000-0000-0000-0000-000000000000"), "{}", asked[0]);
    assert!(asked[1].starts_with("POST /mambu/api/loans/transactions/174:adjust HTTP/1.1\r\n"), "{}", asked[1]);
    assert!(asked[1].contains("authorization: Basic cGVyZHVyYTpzZWNyZXQ="), "{}", asked[1]);
}

#[tokio::test]
async fn no_answer_in_time_leaves_the_outcome_open_and_no_secret_in_the_error() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}/api", silent.local_addr().unwrap())).unwrap();
    let mambu = Mambu::new(base, by_key(), Duration::from_millis(50)).unwrap();
    let error = mambu.disburse(&order()).await.unwrap_err();
    assert!(matches!(&error, MambuError::OutcomeUnknown { source: NoAnswer::Lost(lost), .. } if lost.is_timeout()));
    let text = format!("{error} {error:?} {mambu:?}");
    assert!(!text.contains("a-very-secret-key") && !format!("{error:?}").contains("LN"), "{text}");
}

#[test]
fn a_key_that_no_header_carries_is_refused_at_once() {
    let base = Url::parse("http://127.0.0.1:1/api").unwrap();
    let made = Mambu::new(base, Credentials::ApiKey("line\nbreak".into()), Duration::from_secs(1));
    assert!(matches!(made, Err(MambuError::BadCredentials)));
}
