#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::sync::Arc;

use sha2::{Digest, Sha256};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::contracts::identity::{MISCONFIGURED, OtpResult, UNAVAILABLE, ValidateOtp, ValidateOtpActivity};

use crate::{
    clients::ciam::{Ciam, CiamError, Validation, Verdict},
    failure::Failing,
};

/// One-time passwords at CIAM.
pub struct IdentityActivities {
    /// CIAM.
    pub ciam: Ciam,
}

#[activities]
impl IdentityActivities {
    /// Spends a one-time password, once.
    #[activity(definition = ValidateOtpActivity)]
    pub async fn validate_otp(
        self: Arc<Self>,
        context: ActivityContext,
        validate: ValidateOtp,
    ) -> Result<OtpResult, ActivityError> {
        answered(once(&self.ciam, &validate, context.info().attempt > 1).await)
    }
}

/// CIAM remembers every validation by its reference: one whose answer was lost is asked for before it is sent again.
async fn once(ciam: &Ciam, validate: &ValidateOtp, was_tried: bool) -> Result<OtpResult, CiamError> {
    if was_tried && let Some(verdict) = ciam.validation(validate.reference).await? {
        return Ok(result(&verdict));
    }
    let binding = hex::encode(Sha256::digest(validate.binding.as_bytes()));
    let validation = Validation {
        client_id: &validate.client_id,
        otp: validate.otp.expose(),
        reference: validate.reference,
        binding: &binding,
    };
    match ciam.validate(&validation).await {
        Err(lost @ CiamError::OutcomeUnknown { .. }) => {
            ciam.validation(validate.reference).await?.as_ref().map(result).ok_or(lost)
        }
        answered => answered.map(|verdict| result(&verdict)),
    }
}

const fn result(verdict: &Verdict) -> OtpResult {
    match *verdict {
        Verdict::Approved => OtpResult::Approved,
        Verdict::Invalid { attempts_left } => OtpResult::Refused { attempts_left },
        Verdict::Locked { until } => OtpResult::Locked { until },
        Verdict::Expired | Verdict::AlreadyUsed | Verdict::OtherBinding | Verdict::NoneOutstanding => {
            OtpResult::Refused { attempts_left: None }
        }
    }
}

/// Nothing has moved: what an operator has to mend need not be asked again.
fn answered<T>(result: Result<T, CiamError>) -> Result<T, ActivityError> {
    match result {
        Err(error @ CiamError::OutcomeUnknown { .. }) => Err(error).retryable(UNAVAILABLE),
        other => other.terminal(MISCONFIGURED),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;
    use workflows::domain::Confidential;

    use super::*;
    use crate::fake_system::FakeSystem;

    const VALIDATE: &str = "POST /otp/validate ";

    async fn service(says: impl Fn(&str, usize) -> Option<(u16, &'static str)> + Send + Sync + 'static) -> FakeSystem {
        FakeSystem::start(move |request, before| says(request, before).map(|(status, body)| (status, body.to_owned())))
            .await
    }

    async fn validate(system: &FakeSystem, was_tried: bool) -> Result<OtpResult, CiamError> {
        let ciam = Ciam::new(system.url(), "key".into(), Duration::from_mins(1)).unwrap();
        let order = ValidateOtp {
            client_id: "C-1".to_owned(),
            otp: Confidential::new("123456".to_owned()),
            reference: Uuid::nil(),
            binding: "abc".to_owned(),
        };
        once(&ciam, &order, was_tried).await
    }

    #[tokio::test]
    async fn what_is_confirmed_travels_hashed() {
        let system = service(|_, _| Some((200, r#"{"status":"APPROVED"}"#))).await;
        assert_eq!(validate(&system, false).await.unwrap(), OtpResult::Approved);
        let sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(system.asked()[0].contains(sha256_of_abc), "{}", system.asked()[0]);
    }

    #[tokio::test]
    async fn a_lost_answer_is_asked_for_at_once() {
        let system = service(|request, _| {
            let is_validation = request.starts_with(VALIDATE);
            (!is_validation).then_some((200, r#"{"status":"INVALID","attempts_remaining":2}"#))
        })
        .await;
        let refused = OtpResult::Refused { attempts_left: Some(2) };
        assert_eq!(validate(&system, false).await.unwrap(), refused);
        assert_eq!(validate(&system, true).await.unwrap(), refused);
        let sent = system.asked().into_iter().filter(|request| request.starts_with(VALIDATE)).count();
        assert_eq!(sent, 1);
    }

    #[tokio::test]
    async fn what_ciam_never_saw_is_sent_again_under_its_reference() {
        let system = service(|request, before| match request {
            request if !request.starts_with(VALIDATE) => Some((404, "")),
            _ if before == 0 => None,
            _ => Some((200, r#"{"status":"APPROVED"}"#)),
        })
        .await;
        let lost = validate(&system, false).await.unwrap_err();
        assert!(matches!(lost, CiamError::OutcomeUnknown { .. }));
        assert_eq!(validate(&system, true).await.unwrap(), OtpResult::Approved);
        let asked = system.asked();
        let sent: Vec<_> = asked.iter().filter(|request| request.starts_with(VALIDATE)).collect();
        assert!(sent.len() == 2 && sent[0] == sent[1], "{asked:?}");
    }
}
