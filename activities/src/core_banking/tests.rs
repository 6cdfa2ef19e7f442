use std::time::Duration;

use chrono::NaiveDate;
use uuid::Uuid;
use workflows::{
    contracts::core_banking::Disbursement,
    domain::{Currency, Money},
};

use super::*;
use crate::{clients::mambu::Credentials, fake_system::FakeSystem};

const DISBURSE: &str = "POST /loans/LN-1/disbursement-transactions ";
const ADJUST: &str = "POST /loans/transactions/174:adjust ";
const SEARCH: &str = "POST /loans/transactions:search ";
const TRANSACTION: &str = "GET /loans/transactions/";
const SCHEDULE: &str = "GET /loans/LN-1/schedule ";
const LOAN: &str = "GET /loans/LN-1?";

/// What Mambu answers, or that it hangs up.
type Said = Option<(u16, String)>;

const fn adjusted_by(is_adjusted: bool) -> &'static str {
    if is_adjusted { r#","adjustmentTransactionKey":"abc""# } else { "" }
}

#[expect(clippy::unnecessary_wraps, reason = "the other answer is to hang up")]
fn said(status: u16, body: &str) -> Said {
    Some((status, body.to_owned()))
}

fn no(status: u16, reason: &str) -> Said {
    said(status, &format!(r#"{{"errors":[{{"errorCode":4,"errorReason":"{reason}"}}]}}"#))
}

fn ours(more: &str) -> String {
    let external_id = format!("pc-{}", Uuid::nil());
    format!(
        r#"{{"id":"174","type":"DISBURSEMENT","externalId":"{external_id}","amount":1250.00,
            "valueDate":"2026-05-14T10:15:00-06:00"{more}}}"#
    )
}

fn order() -> Disburse {
    Disburse {
        purchase_id: Uuid::nil(),
        loan_account_id: "LN-1".to_owned(),
        amount: Money { minor: 125_000, currency: Currency::parse("MXN").unwrap() },
        key: Uuid::from_u128(1),
        value_date: "2026-05-14T10:15:00-06:00".parse().unwrap(),
        first_payment_date: NaiveDate::from_ymd_opt(2026, 6, 14).unwrap(),
        was_tried: false,
    }
}

fn reversal() -> Reverse {
    Reverse { purchase_id: Uuid::nil(), transaction_id: "174".to_owned(), key: Uuid::from_u128(2) }
}

/// Mambu as `says` has it; the schedule is always there.
async fn tenant(says: impl Fn(&str, usize) -> Said + Send + Sync + 'static) -> (FakeSystem, Mambu) {
    let schedule = r#"{"installments":[{"number":"1","dueDate":"2026-06-15T00:00:00-06:00"}]}"#;
    let system =
        FakeSystem::start(
            move |request, before| {
                if request.starts_with(SCHEDULE) { said(200, schedule) } else { says(request, before) }
            },
        )
        .await;
    let credentials = Credentials::ApiKey("key".into());
    let mambu = Mambu::new(system.url(), credentials, Duration::from_mins(1)).unwrap();
    (system, mambu)
}

fn disbursed() -> DisburseResult {
    DisburseResult::Disbursed(Disbursement {
        transaction_id: "174".to_owned(),
        value_date: order().value_date,
        first_payment_date: NaiveDate::from_ymd_opt(2026, 6, 15).unwrap(),
    })
}

fn asked(system: &FakeSystem, what: &str) -> Vec<String> {
    system.asked().into_iter().filter(|request| request.starts_with(what)).collect()
}

#[tokio::test]
async fn a_disbursement_takes_its_first_date_from_mambus_schedule() {
    let (system, mambu) = tenant(|_, _| said(201, &ours(""))).await;
    assert_eq!(disbursement::once(&mambu, &order(), false).await.unwrap(), disbursed());
    assert!(asked(&system, SEARCH).is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_before_anything_is_sent_again() {
    let (system, mambu) = tenant(|request, _| match request {
        request if request.starts_with(SEARCH) => said(200, &format!("[{}]", ours(""))),
        _ => None,
    })
    .await;
    let lost = disbursement::once(&mambu, &order(), false).await.unwrap_err();
    assert!(matches!(lost, MambuError::OutcomeUnknown { .. }) && !lost.is_for_an_operator());
    assert_eq!(disbursement::once(&mambu, &order(), true).await.unwrap(), disbursed());
    assert_eq!(asked(&system, DISBURSE).len(), 1);
}

#[tokio::test]
async fn what_never_arrived_is_sent_again_to_the_byte() {
    let (system, mambu) = tenant(|request, before| match request {
        request if request.starts_with(SEARCH) => said(200, "[]"),
        _ if before == 0 => said(502, "<html>Bad Gateway</html>"),
        _ => said(201, &ours("")),
    })
    .await;
    disbursement::once(&mambu, &order(), false).await.unwrap_err();
    assert_eq!(disbursement::once(&mambu, &order(), true).await.unwrap(), disbursed());
    let sent = asked(&system, DISBURSE);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
}

#[tokio::test]
async fn another_transaction_than_ours_is_not_taken_for_it() {
    for found in [
        r#"[{"id":"9","type":"DISBURSEMENT","externalId":"pc-other","amount":1250.00}]"#.to_owned(),
        format!("[{}]", ours("").replace("DISBURSEMENT", "REPAYMENT")),
    ] {
        let (system, mambu) = tenant(move |request, _| match request {
            request if request.starts_with(SEARCH) => said(200, &found),
            _ => said(201, &ours("")),
        })
        .await;
        assert_eq!(disbursement::once(&mambu, &order(), true).await.unwrap(), disbursed());
        assert_eq!(asked(&system, DISBURSE).len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_that_is_the_echo_of_our_own_is_a_success() {
    for reason in ["ACCOUNT_ALREADY_DISBURSED", "EXTERNAL_ID_ALREADY_EXISTS", "INVALID_ACCOUNT_STATE"] {
        let (_system, mambu) = tenant(move |request, _| match request {
            request if request.starts_with(SEARCH) => said(200, &format!("[{}]", ours(""))),
            _ => no(400, reason),
        })
        .await;
        assert_eq!(disbursement::once(&mambu, &order(), false).await.unwrap(), disbursed(), "{reason}");
    }
}

#[tokio::test]
async fn the_loan_itself_tells_who_disbursed_it_where_the_search_lags() {
    for (transaction, expected) in
        [(ours(""), disbursed()), (ours("").replace("pc-", "other-"), DisburseResult::DisbursedElsewhere)]
    {
        let (_system, mambu) = tenant(move |request, _| match request {
            request if request.starts_with(SEARCH) => said(200, "[]"),
            request if request.starts_with(LOAN) => {
                said(200, r#"{"id":"LN-1","loanAmount":1250,"activationTransactionKey":"abc"}"#)
            }
            request if request.starts_with(TRANSACTION) => said(200, &transaction),
            _ => no(400, "ACCOUNT_ALREADY_DISBURSED"),
        })
        .await;
        assert_eq!(disbursement::once(&mambu, &order(), true).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_loan_that_was_disbursed_is_known_for_ours_where_the_search_lags() {
    for (transaction, expected) in [
        (ours(""), true),
        (ours("").replace("pc-", "other-"), false),
        (ours(r#","adjustmentTransactionKey":"abc""#), false),
    ] {
        let (_system, mambu) = tenant(move |request, _| match request {
            request if request.starts_with(SEARCH) => said(200, "[]"),
            request if request.starts_with(TRANSACTION) => said(200, &transaction),
            request if request.starts_with(LOAN) => said(
                200,
                r#"{"id":"LN-1","accountState":"ACTIVE","loanAmount":1250,"currency":{"code":"MXN"},
                    "activationTransactionKey":"abc"}"#,
            ),
            _ => no(404, "INVALID_CLIENT_ID"),
        })
        .await;
        let read = ReadLoan {
            loan_account_id: "LN-1".to_owned(),
            client_id: "C-1".to_owned(),
            credit_line_id: "CL-1".to_owned(),
            tried_for: Some(order().purchase_id),
        };
        let loan = loan::read(&mambu, &read).await.unwrap().unwrap();
        assert_eq!(loan.is_disbursed_for_purchase, expected);
        let unasked = ReadLoan { tried_for: None, ..read };
        assert!(!loan::read(&mambu, &unasked).await.unwrap().unwrap().is_disbursed_for_purchase);
    }
}

#[tokio::test]
async fn refusals_are_answers_and_everything_else_is_not() {
    for (status, reason, expected) in [
        (
            400,
            "MAXIMUM_EXPOSURE_EXCEEDED",
            Some(DisburseResult::Refused { reason: "MAXIMUM_EXPOSURE_EXCEEDED".into() }),
        ),
        (400, "INVALID_ACCOUNT_STATE", Some(DisburseResult::Refused { reason: "INVALID_ACCOUNT_STATE".into() })),
        (404, "INVALID_LOAN_ACCOUNT_ID", Some(DisburseResult::Refused { reason: "INVALID_LOAN_ACCOUNT_ID".into() })),
        (400, "ACCOUNT_ALREADY_DISBURSED", Some(DisburseResult::DisbursedElsewhere)),
        (400, "EXTERNAL_ID_ALREADY_EXISTS", None),
        (400, "BLOCKING_OPERATION_IN_PROGRESS", None),
        (401, "INVALID_CREDENTIALS", None),
        (429, "", None),
    ] {
        let (_system, mambu) = tenant(move |request, _| match request {
            request if request.starts_with(SEARCH) => said(200, "[]"),
            request if request.starts_with(LOAN) => said(200, r#"{"id":"LN-1","loanAmount":1250}"#),
            _ => no(status, reason),
        })
        .await;
        assert_eq!(disbursement::once(&mambu, &order(), true).await.ok(), expected, "{status} {reason}");
    }
}

#[tokio::test]
async fn a_disbursement_that_cannot_be_true_is_no_success() {
    let wrong_amount = ours("").replace("1250.00", "1250.01");
    let (_system, mambu) = tenant(move |_, _| said(201, &wrong_amount)).await;
    let error = disbursement::once(&mambu, &order(), false).await.unwrap_err();
    assert!(matches!(error, MambuError::OutcomeUnknown { .. }));

    let adjusted = format!("[{}]", ours(r#","adjustmentTransactionKey":"abc""#));
    let (system, mambu) = tenant(move |_, _| said(200, &adjusted)).await;
    let result = disbursement::once(&mambu, &order(), true).await.unwrap();
    assert_eq!(result, DisburseResult::Refused { reason: "TRANSACTION_ALREADY_ADJUSTED".to_owned() });
    assert!(asked(&system, DISBURSE).is_empty());
}

#[tokio::test]
async fn a_reversal_is_read_before_it_is_sent_again() {
    let (system, mambu) = tenant(|request, _| match request {
        request if request.starts_with(TRANSACTION) => said(200, &ours(r#","adjustmentTransactionKey":"abc""#)),
        _ => said(503, ""),
    })
    .await;
    reversal::once(&mambu, &reversal(), false).await.unwrap_err();
    assert_eq!(reversal::once(&mambu, &reversal(), true).await.unwrap(), ReverseResult::Reversed);
    assert_eq!(asked(&system, ADJUST).len(), 1);
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_reversal_is_told() {
    let late = "DISBURSEMENT_DATE_BEFORE_NOT_REVERSED_TRANSACTION";
    for (is_adjusted, reason, expected) in [
        (true, "TRANSACTION_ALREADY_ADJUSTED", Some(ReverseResult::Reversed)),
        (true, "TRANSACTION_ALREADY_REVERSED", Some(ReverseResult::Reversed)),
        (true, "INVALID_ACCOUNT_STATE", Some(ReverseResult::Reversed)),
        (false, "TRANSACTION_ALREADY_ADJUSTED", None),
        (false, late, Some(ReverseResult::Blocked { reason: late.to_owned() })),
        (false, "BLOCKING_OPERATION_IN_PROGRESS", None),
    ] {
        let transaction = ours(adjusted_by(is_adjusted));
        let (_system, mambu) = tenant(move |request, _| match request {
            request if request.starts_with(TRANSACTION) => said(200, &transaction),
            _ => no(400, reason),
        })
        .await;
        assert_eq!(reversal::once(&mambu, &reversal(), false).await.ok(), expected, "{is_adjusted} {reason}");
    }
}

#[tokio::test]
async fn a_loan_is_read_with_whose_it_is() {
    let account = r#"{"id":"LN-1","accountHolderKey":"c","creditArrangementKey":"l","accountState":"APPROVED",
        "loanAmount":123456789012345.67,"currency":{"code":"MXN"},"scheduleSettings":{"repaymentPeriodCount":1,
        "repaymentPeriodUnit":"MONTHS"}}"#;
    let (_system, mambu) = tenant(move |request, _| match request {
        request if request.starts_with(LOAN) => said(200, account),
        request if request.starts_with("GET /clients/C-1 ") => said(200, r#"{"id":"C-1","encodedKey":"c"}"#),
        request if request.starts_with("GET /clients/c ") => said(200, r#"{"id":"C-1","encodedKey":"c"}"#),
        request if request.starts_with("GET /creditarrangements/CL-1 ") => said(200, r#"{"encodedKey":"l"}"#),
        request if request.starts_with("GET /loans/") => no(404, "INVALID_LOAN_ACCOUNT_ID"),
        _ => no(404, "INVALID_CLIENT_ID"),
    })
    .await;
    for (loan, client, line, expected) in [
        ("LN-1", "C-1", "CL-1", Some((true, true))),
        ("LN-1", "C-2", "CL-1", Some((false, true))),
        ("LN-1", "c", "CL-1", Some((false, true))),
        ("LN-1", "C-1", "CL-2", Some((true, false))),
        ("LN-2", "C-1", "CL-1", None),
    ] {
        let read = ReadLoan {
            loan_account_id: loan.to_owned(),
            client_id: client.to_owned(),
            credit_line_id: line.to_owned(),
            tried_for: None,
        };
        let found = loan::read(&mambu, &read).await.unwrap();
        let whose = found.as_ref().map(|loan| (loan.is_the_clients, loan.is_of_the_credit_line));
        assert_eq!(whose, expected, "{loan} {client} {line}");
        let amount = found.map(|loan| loan.amount.to_decimal());
        assert!(amount.is_none_or(|amount| amount == "123456789012345.67"));
    }
}
