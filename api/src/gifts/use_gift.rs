//! `POST /api/gifts/use`: a device of a supplier uses a gift.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use store::postgres::gifts::{AuditEntry, GiftAttempt};
use tokio::{time::timeout, try_join};
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::{
    domain::Confidential,
    gifts::{
        GiftRedemptionWorkflow, RedeemReply, RedeemRequest, RedeemResult, RedemptionInput, redemption_workflow_id,
    },
};

use super::{
    Gifts, Subject,
    admission::{Guess, Verdict},
    body::{PendingUse, UsedGift},
    refusal,
};
use crate::{
    auth::{Caller, UseGifts},
    engine::{EngineError, Started, pending},
    idempotency::{IdempotencyKey, check_repeat},
    json::{self, Json},
    openapi::schemas,
    problem::{FieldError, Problem, kinds},
    state::Api,
    text::{bad_id, is_outside_id},
};

/// Part of every redemption's id: it can never change.
const ROUTE: &str = "POST /api/gifts/use";

/// Which gift, and what proves the shop.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"gift_id": "GIFT-1", "supplier_invoice_no": "900101", "pin": "2468"})))]
pub(crate) struct UseGift {
    #[schema(schema_with = schemas::outside_id)]
    gift_id: String,
    /// Number of the supplier or of one of its accounts.
    #[schema(schema_with = schemas::outside_id)]
    supplier_invoice_no: String,
    #[schema(schema_with = schemas::pin)]
    #[serde(deserialize_with = "json::confidential")]
    pin: Confidential,
}

/// What a device tries. The PIN stays in here: it never becomes part of a run.
struct Attempt {
    redemption_id: Uuid,
    update_id: String,
    /// As its principal is written.
    device: String,
    /// Whose device it is.
    supplier_code: String,
    fingerprint: String,
    body: UseGift,
}

/// Use a gift
///
/// The gift is used, once, by a device of a supplier that may take it, with the PIN of one of the supplier's accounts.
/// A device that does not hear the answer repeats with its key and gets it again, whatever PIN it sends then. After too
/// many wrong PINs in a row neither the account nor the device is listened to for a time that grows.
#[utoipa::path(
    post, path = "/api/gifts/use", operation_id = "use_gift", tag = "gifts",
    security(("api_key" = ["gifts:use"])), params(IdempotencyKey), request_body = UseGift,
    responses(
        (
            status = 200, description = "The gift, which this request used", body = UsedGift,
            links(("undo it" = (operation_id = "void_gift", parameters(("gift_id" = "$response.body#/gift_id"))))),
        ),
        (
            status = 202, description = "Taken, and not done yet", body = PendingUse,
            headers(("Retry-After" = u32, description = "Seconds until the same request may have its answer")),
        ),
    ),
    extensions(("x-problems" = json!([
        kinds::CREDENTIALS_INVALID.code, kinds::GIFT_NOT_FOUND.code, kinds::GIFT_NOT_ACTIVE.code,
        kinds::GIFT_NOT_YET_VALID.code, kinds::GIFT_EXPIRED.code, kinds::GIFT_ALREADY_USED.code,
        kinds::SUPPLIER_MISMATCH.code, kinds::GIFT_PIN_LOCKED.code, kinds::UNACCEPTABLE.code,
    ]))),
)]
pub(crate) async fn use_gift(
    State(api): State<Api>,
    caller: Caller<UseGifts>,
    key: IdempotencyKey,
    body: Json<UseGift>,
) -> Result<Response, Problem> {
    api.gifts()?;
    body.value.check()?;
    let attempt = Attempt {
        redemption_id: key.process_id(&caller.principal, ROUTE),
        update_id: key.update_id(&caller.principal, ROUTE),
        device: caller.principal,
        supplier_code: caller.who,
        fingerprint: api.fingerprint_key.fingerprint_without("pin", &body.raw)?,
        body: body.value,
    };
    // A PIN has as long as the run that follows it.
    let patience = 2 * api.engine.deadline();
    // Whoever hangs up meanwhile has tried all the same: the attempt is counted, settled and written down to its end.
    match timeout(patience, tokio::spawn(try_it(api, attempt))).await {
        Ok(tried) => tried.map_err(Problem::unforeseen)?,
        Err(_elapsed) => Err(EngineError::Pending.into()),
    }
}

impl UseGift {
    /// Nothing is said of the PIN: what cannot be one is a wrong one.
    fn check(&self) -> Result<(), Problem> {
        let ids = [("gift_id", &self.gift_id), ("supplier_invoice_no", &self.supplier_invoice_no)];
        let errors = ids.into_iter().filter(|(_, id)| !is_outside_id(id));
        let errors: Vec<_> = errors.map(|(field, _)| FieldError::new(field, bad_id())).collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(Problem::with_errors(kinds::UNACCEPTABLE, "see \"errors\" for each field", errors))
    }
}

async fn try_it(api: Api, attempt: Attempt) -> Result<Response, Problem> {
    let gifts = api.gifts()?;
    let (decided, number, accounts) = try_join!(
        api.database.find_redeem_reply(attempt.redemption_id),
        api.database.resolve_number(&attempt.body.supplier_invoice_no),
        api.database.accounts_of(&attempt.supplier_code),
    )?;
    // Its key has proved the device before: it hears the answer also while PINs are locked.
    if let Some(reply) = decided {
        return answer(&reply, &attempt.fingerprint);
    }
    let number = number.filter(|number| number.supplier_code == attempt.supplier_code);
    let meant = number.as_ref().and_then(|number| number.account.clone());
    let (device, pin) = (attempt.device.clone(), attempt.body.pin.clone());
    match gifts.judge(&api.database, Guess { device, number, accounts, pin }).await? {
        Verdict::Right(account) => redeem(&api, gifts, attempt, account).await,
        Verdict::Wrong => turn_away(&api, entry(&attempt, meant), refusal::credentials_invalid()).await,
        Verdict::Locked(wait) => turn_away(&api, entry(&attempt, meant), Problem::gift_pin_locked(wait)).await,
    }
}

async fn redeem(api: &Api, gifts: &Gifts, attempt: Attempt, account: String) -> Result<Response, Problem> {
    let entry = entry(&attempt, Some(account.clone()));
    let request = RedeemRequest {
        redemption_id: attempt.redemption_id,
        gift_id: attempt.body.gift_id,
        supplier_code: attempt.supplier_code,
        supplier_account: account,
        device: attempt.device,
        fingerprint: attempt.fingerprint,
    };
    let input = RedemptionInput { request, policy: gifts.settings.policy() };
    match start(api, &attempt.update_id, &input).await? {
        Ok(reply) => answer(&reply, &input.request.fingerprint),
        Err(EngineError::Pending) => Ok(pending(PendingUse { redemption_id: input.request.redemption_id })),
        // Its PIN was right, and the ledger does not know of it.
        Err(error) => turn_away(api, entry, error.into()).await,
    }
}

/// What the ledger does not know may run again: it lets a gift be used once.
async fn start(api: &Api, update_id: &str, input: &RedemptionInput) -> Started<RedeemReply> {
    let RedeemRequest { redemption_id, gift_id, supplier_code, .. } = &input.request;
    let subject = Subject { id: *redemption_id, gift_id, supplier_code };
    let options = subject.options(redemption_workflow_id(*redemption_id), update_id);
    let process = || (GiftRedemptionWorkflow::run, GiftRedemptionWorkflow::redeem);
    let recorded = || api.database.find_redeem_reply(*redemption_id);
    api.engine.start_once(process, (input, &()), options, recorded).await
}

/// Refuses what the ledger never sees. It is written down like everything that it sees.
async fn turn_away(api: &Api, entry: AuditEntry, problem: Problem) -> Result<Response, Problem> {
    api.database.audit_gift(&AuditEntry { result: problem.code().to_owned(), ..entry }).await?;
    Err(problem)
}

/// The line of an attempt, still without what came of it.
fn entry(attempt: &Attempt, supplier_account: Option<String>) -> AuditEntry {
    AuditEntry {
        attempt: GiftAttempt::Use,
        gift_id: attempt.body.gift_id.clone(),
        supplier_code: attempt.supplier_code.clone(),
        supplier_account,
        device: attempt.device.clone(),
        result: String::new(),
        redemption_id: Some(attempt.redemption_id),
    }
}

fn answer(reply: &RedeemReply, fingerprint: &str) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, fingerprint)?;
    match &reply.result {
        RedeemResult::Used(redemption) => Ok(Answer(UsedGift::from(redemption)).into_response()),
        RedeemResult::Refused(refusal) => Err(refusal::not_used(*refusal)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use workflows::gifts::RedeemRefusal;

    use super::*;

    fn parse(changes: &Value) -> Result<UseGift, Problem> {
        let mut body = json!({"gift_id": "GIFT-1", "supplier_invoice_no": "900101", "pin": "2468"});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json::parse(body.to_string().as_bytes())
    }

    #[test]
    fn whatever_text_comes_as_a_pin_is_looked_at() {
        for pin in ["2468", "0001", "", " ", "２４６８", "24 68", "not a PIN", &"1".repeat(10_000)] {
            let body = parse(&json!({"pin": pin})).unwrap();
            body.check().unwrap();
            assert_eq!(body.pin.expose(), pin);
        }
    }

    #[test]
    fn nothing_says_what_the_pin_was() {
        for pin in [json!(8642), json!(["8642"]), json!(null), json!({"8642": "8642"})] {
            let refused = format!("{:?}", parse(&json!({"pin": pin})).unwrap_err());
            assert!(refused.contains("invalid_body") && refused.contains("field: \"pin\""), "{refused}");
            assert!(!refused.contains("8642"), "{refused}");
        }
        let body = parse(&json!({"pin": "8642", "gift_id": "a b"})).unwrap();
        assert!(!format!("{body:?} {:?}", body.check().unwrap_err()).contains("8642"));
    }

    #[test]
    fn each_unacceptable_id_is_named() {
        for (field, id) in [
            ("gift_id", ""),
            ("gift_id", "a b"),
            ("gift_id", "GIFT\0"),
            ("supplier_invoice_no", "9/1"),
            ("supplier_invoice_no", "9".repeat(65).as_str()),
        ] {
            let refused = format!("{:?}", parse(&json!({field: id})).unwrap().check().unwrap_err());
            assert!(refused.contains(&format!("field: {field:?}")), "{id:?}: {refused}");
            assert_eq!(refused.matches("field: ").count(), 1, "{id:?}: {refused}");
        }
    }

    #[test]
    fn a_repeat_gets_the_first_answer_and_another_request_none() {
        let reply = RedeemReply { fingerprint: "ab".to_owned(), result: RedeemResult::Refused(RedeemRefusal::Expired) };
        assert_eq!(answer(&reply, "ab").unwrap_err().code(), "gift_expired");
        assert_eq!(answer(&reply, "ac").unwrap_err().code(), "idempotency_key_reused");
    }
}
