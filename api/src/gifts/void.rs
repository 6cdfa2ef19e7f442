//! `POST /api/gifts/{gift_id}/void`: the device that used a gift undoes that, for a short time.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use workflows::gifts::{GiftVoidWorkflow, VoidInput, VoidReply, VoidRequest, VoidResult, void_workflow_id};

use super::{
    Subject,
    body::{PendingVoid, VoidedGift},
    path::GiftPath,
    refusal,
};
use crate::{
    auth::{Caller, UseGifts},
    engine::{EngineError, Started, pending},
    idempotency::{IdempotencyKey, check_repeat},
    json::Json,
    problem::{Problem, kinds},
    state::Api,
    text::{self, Lines},
};

/// Part of every undoing's id: it can never change.
const ROUTE: &str = "POST /api/gifts/{gift_id}/void";
const LONGEST_REASON: usize = 200;

/// Why the use of a gift is undone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "scanned by mistake"})))]
pub(crate) struct VoidGift {
    /// For people.
    #[serde(default)]
    #[schema(max_length = 200, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    reason: String,
}

/// Undo the use of a gift
///
/// The device that used the gift undoes that while the time for it lasts, once; the gift can then be used again, by any
/// device that may take it.
#[utoipa::path(
    post, path = "/api/gifts/{gift_id}/void", operation_id = "void_gift", tag = "gifts",
    security(("api_key" = ["gifts:use"])), params(GiftPath, IdempotencyKey), request_body = VoidGift,
    responses(
        (status = 200, description = "The gift, which can be used again", body = VoidedGift),
        (
            status = 202, description = "Taken, and not done yet", body = PendingVoid,
            headers(("Retry-After" = u32, description = "Seconds until the same request may have its answer")),
        ),
    ),
    extensions(("x-problems" = json!([
        kinds::GIFT_NOT_USED.code, kinds::REDEEMED_ELSEWHERE.code, kinds::VOID_WINDOW_OVER.code,
        kinds::UNACCEPTABLE.code,
    ]))),
)]
pub(crate) async fn void(
    State(api): State<Api>,
    caller: Caller<UseGifts>,
    GiftPath(gift_id): GiftPath,
    key: IdempotencyKey,
    body: Json<VoidGift>,
) -> Result<Response, Problem> {
    let gifts = api.gifts()?;
    if let Some(flaw) = text::flaw(&body.value.reason, LONGEST_REASON, Lines::One) {
        return Err(Problem::with_error(kinds::UNACCEPTABLE, "reason", flaw));
    }
    let update_id = key.update_id(&caller.principal, ROUTE);
    let request = VoidRequest {
        void_id: key.process_id(&caller.principal, ROUTE),
        // Its route is the same for every gift.
        fingerprint: api.fingerprint_key.of(Value::from(vec![gift_id.as_str(), body.value.reason.as_str()]))?,
        gift_id,
        supplier_code: caller.who,
        device: caller.principal,
        reason: body.value.reason,
    };
    let input = VoidInput { request, policy: gifts.settings.policy() };
    match start(&api, &update_id, &input).await? {
        Ok(reply) => answer(&reply, &input.request.fingerprint),
        Err(EngineError::Pending) => Ok(pending(PendingVoid { void_id: input.request.void_id })),
        Err(error) => Err(error.into()),
    }
}

/// What the ledger does not know may run again: it lets a use be undone once.
async fn start(api: &Api, update_id: &str, input: &VoidInput) -> Started<VoidReply> {
    let VoidRequest { void_id, gift_id, supplier_code, .. } = &input.request;
    let subject = Subject { id: *void_id, gift_id, supplier_code };
    let options = subject.options(void_workflow_id(*void_id), update_id);
    let process = || (GiftVoidWorkflow::run, GiftVoidWorkflow::void);
    let recorded = || api.database.find_void_reply(*void_id);
    api.engine.start_once(process, (input, &()), options, recorded).await
}

fn answer(reply: &VoidReply, fingerprint: &str) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, fingerprint)?;
    match &reply.result {
        VoidResult::Voided(void) => Ok(Answer(VoidedGift::from(void)).into_response()),
        VoidResult::Refused(refusal) => Err(refusal::not_voided(*refusal)),
    }
}

#[cfg(test)]
mod tests {
    use workflows::gifts::VoidRefusal;

    use super::*;
    use crate::json;

    #[test]
    fn a_reason_can_be_left_out() {
        assert_eq!(json::parse::<VoidGift>(b"{}").unwrap().reason, "");
        assert!(json::parse::<VoidGift>(br#"{"reason":null}"#).is_err());
        assert!(json::parse::<VoidGift>(br#"{"why":"x"}"#).is_err());
    }

    #[test]
    fn a_repeat_gets_the_first_answer_and_another_request_none() {
        let reply = VoidReply { fingerprint: "ab".to_owned(), result: VoidResult::Refused(VoidRefusal::TooLate) };
        assert_eq!(answer(&reply, "ab").unwrap_err().code(), "void_window_over");
        assert_eq!(answer(&reply, "ac").unwrap_err().code(), "idempotency_key_reused");
    }
}
