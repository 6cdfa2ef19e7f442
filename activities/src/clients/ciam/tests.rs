use super::*;
use crate::fake_system::FakeSystem;

const REFERENCE: Uuid = Uuid::from_u128(7);

fn verdict(status: u16, body: &str) -> Result<Verdict, CiamError> {
    let answer = Answer { status: StatusCode::from_u16(status).unwrap(), body: body.as_bytes().to_vec() };
    wire::verdict("asking", &answer, REFERENCE)
}

#[test]
fn every_verdict_is_read() {
    let until = "2026-05-14T16:15:00Z".parse().unwrap();
    for (status, body, expected) in [
        (200, r#"{"status":"APPROVED","reference":"00000000-0000-0000-0000-000000000007"}"#, Verdict::Approved),
        (200, r#"{"status":"APPROVED"}"#, Verdict::Approved),
        (400, r#"{"code":"OTP_INVALID","attempts_remaining":2}"#, Verdict::Invalid { attempts_left: Some(2) }),
        (400, r#"{"code":"OTP_INVALID"}"#, Verdict::Invalid { attempts_left: None }),
        (410, r#"{"code":"OTP_EXPIRED"}"#, Verdict::Expired),
        (409, r#"{"code":"OTP_ALREADY_USED"}"#, Verdict::AlreadyUsed),
        (403, r#"{"code":"OTP_BINDING_MISMATCH"}"#, Verdict::OtherBinding),
        (423, r#"{"code":"OTP_LOCKED","locked_until":"2026-05-14T10:15:00-06:00"}"#, Verdict::Locked { until }),
        (404, r#"{"code":"OTP_UNKNOWN"}"#, Verdict::NoneOutstanding),
        (200, r#"{"status":"INVALID","attempts_remaining":0}"#, Verdict::Invalid { attempts_left: Some(0) }),
        (200, r#"{"status":"LOCKED","locked_until":"2026-05-14T16:15:00Z"}"#, Verdict::Locked { until }),
        (200, r#"{"status":"USED"}"#, Verdict::AlreadyUsed),
    ] {
        assert_eq!(verdict(status, body).unwrap(), expected, "{status} {body}");
    }
}

#[test]
fn what_is_no_verdict_approves_nothing() {
    for (status, body) in [
        (200, ""),
        (200, "<html>welcome</html>"),
        (200, "{}"),
        (200, r#"{"status":"pending"}"#),
        (200, r#"{"status":"LOCKED"}"#),
        (200, r#"{"status":"APPROVED","reference":"00000000-0000-0000-0000-000000000008"}"#),
        (429, r#"{"code":"OTP_INVALID"}"#),
        (500, r#"{"status":"APPROVED"}"#),
        (502, "<html></html>"),
        (302, ""),
        (404, "<html>no such page</html>"),
    ] {
        let error = verdict(status, body).unwrap_err();
        assert!(matches!(error, CiamError::OutcomeUnknown { .. }), "{status} {body}: {error:?}");
    }
    for (status, body) in [
        (400, r#"{"status":"APPROVED"}"#),
        (400, r#"{"code":"OTP_APPROVED"}"#),
        (422, r#"{"code":"REFERENCE_REUSED"}"#),
        (401, ""),
        (403, "<html></html>"),
        (423, r#"{"code":"OTP_LOCKED"}"#),
    ] {
        let error = verdict(status, body).unwrap_err();
        assert!(matches!(error, CiamError::Refused { .. }), "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn the_password_is_in_the_request_and_nowhere_else() {
    let system = FakeSystem::start(|_, _| Some((401, String::new()))).await;
    let base = system.url().join("ciam").unwrap();
    let ciam = Ciam::new(base, "a-very-secret-key".into(), Duration::from_mins(1)).unwrap();
    let validation = Validation { client_id: "C-1", otp: "123456", reference: REFERENCE, binding: "abc" };
    let error = ciam.validate(&validation).await.unwrap_err();
    let asked = system.asked();
    assert!(asked[0].starts_with("POST /ciam/otp/validate HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(asked[0].contains("authorization: Bearer a-very-secret-key"), "{}", asked[0]);
    let body =
        r#"{"client_id":"C-1","otp":"123456","reference":"00000000-0000-0000-0000-000000000007","binding":"abc"}"#;
    assert!(asked[0].ends_with(body), "{}", asked[0]);
    let text = format!("{error} {error:?} {ciam:?}");
    assert!(!text.contains("123456") && !text.contains("a-very-secret-key") && !text.contains("C-1"), "{text}");
}

#[tokio::test]
async fn a_validation_that_ciam_never_saw_is_none() {
    let system = FakeSystem::start(|_, _| Some((404, String::new()))).await;
    let ciam = Ciam::new(system.url(), "key".into(), Duration::from_mins(1)).unwrap();
    assert_eq!(ciam.validation(REFERENCE).await.unwrap(), None);
    assert!(system.asked()[0].starts_with("GET /otp/validations/00000000-0000-0000-0000-000000000007 "));
}
