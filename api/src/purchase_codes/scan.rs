//! `POST /loans/{loan_account_id}/use`: a till scans a code.

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::Utc;
use serde::Deserialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::{
    domain::Confidential,
    purchase_codes::{
        CodeStatus, Purchase, PurchaseCodeWorkflow, UseRefusal, UseReply, UseRequest, UseResult, workflow_id,
    },
};

use super::{PurchaseCodes, body::PurchaseBody, path::LoanPath, refusal, state_at};
use crate::{
    auth::{Caller, UsePurchases},
    engine::EngineError,
    idempotency::{IdempotencyKey, check_repeat},
    json::{self, Json},
    openapi::schemas,
    problem::{Problem, kinds},
    state::Api,
    text::{self, Lines},
};

/// Part of every scan's id: it can never change.
const ROUTE: &str = "POST /loans/{loan_account_id}/use";
const LONGEST_SCAN: usize = 200;

/// What was scanned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"code": "7K3M9QX2VD4T8B5N1RWZA"})))]
pub(crate) struct UseCode {
    #[schema(schema_with = schemas::scanned)]
    #[serde(deserialize_with = "json::confidential")]
    code: Confidential,
}

/// Use a purchase code
///
/// The code is used, once, by a device of its provider. A device that does not hear the answer repeats with its key and
/// gets it again; any other scan after it is refused.
#[utoipa::path(
    post, path = "/loans/{loan_account_id}/use", operation_id = "use_purchase_code", tag = "purchase codes",
    security(("api_key" = ["purchases:use"])), params(LoanPath, IdempotencyKey), request_body = UseCode,
    responses((
        status = 200, description = "The purchase, whose code this request used", body = PurchaseBody,
        headers(("ETag" = String, description = "The purchase's version")),
    )),
    extensions(("x-problems" = json!([kinds::CODE_NOT_VALID.code, kinds::UNACCEPTABLE.code]))),
)]
pub(crate) async fn scan(
    State(api): State<Api>,
    caller: Caller<UsePurchases>,
    LoanPath(loan): LoanPath,
    key: IdempotencyKey,
    body: Json<UseCode>,
) -> Result<Response, Problem> {
    let codes = api.purchase_codes()?;
    let request = UseRequest {
        cause: format!("use/{}", key.update_id(&caller.principal, ROUTE)),
        provider: caller.who,
        code: body.value.code()?,
        fingerprint: api.fingerprint_key.fingerprint(&body.raw)?,
    };
    let purchase = codes.tables.find_by_loan(&loan).await?;
    let purchase = purchase.ok_or_else(|| Problem::new(kinds::NOT_FOUND, "this loan has no purchase"))?;
    // Most scans that change nothing are told so without a word to the run.
    if let Some(reply) = decided(codes, &purchase, &request).await? {
        return answer(codes, &reply, &request);
    }
    let scanning = codes.scans.in_turn(&loan, tell(&api, codes, purchase.purchase_id, &request));
    let told = timeout(api.engine.deadline(), scanning).await;
    let reply = told.map_err(|_elapsed| EngineError::Pending)??;
    answer(codes, &reply, &request)
}

impl UseCode {
    /// The code itself, also out of the whole content of a symbol.
    fn code(&self) -> Result<Confidential, Problem> {
        let text = self.code.expose();
        let flaw = text.is_empty().then(|| "is empty".to_owned());
        if let Some(flaw) = flaw.or_else(|| text::flaw(text, LONGEST_SCAN, Lines::One)) {
            return Err(Problem::with_error(kinds::UNACCEPTABLE, "code", flaw));
        }
        let code = text.trim().rsplit('/').next().unwrap_or_default();
        Ok(Confidential::new(code.to_owned()))
    }
}

/// Tells the run of the purchase, unless who was before in the queue has decided it.
async fn tell(api: &Api, codes: &PurchaseCodes, purchase_id: Uuid, request: &UseRequest) -> Result<UseReply, Problem> {
    if let Some(reply) = decided(codes, &read(codes, purchase_id).await?, request).await? {
        return Ok(reply);
    }
    let (update, update_id) = (PurchaseCodeWorkflow::use_code, request.cause.clone());
    match api.engine.update(workflow_id(purchase_id), update, request.clone(), update_id).await {
        Err(EngineError::Closed) => after_close(codes, purchase_id, request).await,
        told => Ok(told?),
    }
}

/// The run has ended, and the tables have its last word.
async fn after_close(codes: &PurchaseCodes, purchase_id: Uuid, request: &UseRequest) -> Result<UseReply, Problem> {
    let reply = decided(codes, &read(codes, purchase_id).await?, request).await?;
    reply.ok_or_else(|| Problem::unforeseen(format!("the code of purchase {purchase_id} waits without a run")))
}

async fn read(codes: &PurchaseCodes, purchase_id: Uuid) -> Result<Purchase, Problem> {
    let purchase = codes.tables.find(purchase_id).await?;
    purchase.ok_or_else(|| Problem::unforeseen(format!("purchase {purchase_id} was there and is gone")))
}

/// The answer, when the record has it: this very request used the code before, or nothing can come of it.
async fn decided(
    codes: &PurchaseCodes,
    purchase: &Purchase,
    request: &UseRequest,
) -> Result<Option<UseReply>, Problem> {
    if purchase.status == CodeStatus::Usado {
        let reply = codes.tables.find_use_reply(purchase.purchase_id, &request.cause).await?;
        if reply.is_some() {
            return Ok(reply);
        }
    }
    let found = codes.tables.find_by_code(request.code.expose()).await?;
    let is_its_code = found.is_some_and(|found| found.purchase_id == purchase.purchase_id);
    let state = state_at(purchase, Utc::now());
    let refusal = hopeless(is_its_code, purchase.provider == request.provider, state);
    let reply = |refusal| UseReply { fingerprint: request.fingerprint.clone(), result: UseResult::Refused(refusal) };
    Ok(refusal.map(reply))
}

/// Why nothing can come of a scan. A wrong code learns nothing else.
const fn hopeless(is_its_code: bool, is_its_provider: bool, state: CodeStatus) -> Option<UseRefusal> {
    if !is_its_code {
        return Some(UseRefusal::WrongCode);
    }
    if !is_its_provider {
        return Some(UseRefusal::OtherProvider);
    }
    match state {
        CodeStatus::Generado => None,
        CodeStatus::Usado => Some(UseRefusal::AlreadyUsed),
        CodeStatus::Vencido => Some(UseRefusal::Expired),
    }
}

fn answer(codes: &PurchaseCodes, reply: &UseReply, request: &UseRequest) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    match &reply.result {
        UseResult::Used(purchase) => codes.respond(StatusCode::OK, purchase, purchase.status),
        UseResult::Refused(refusal) => Err(refusal::not_used(*refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Result<String, String> {
        let scanned = UseCode { code: Confidential::new(text.to_owned()) };
        scanned.code().map(|code| code.expose().to_owned()).map_err(|problem| problem.code().to_owned())
    }

    #[test]
    fn a_till_may_send_all_that_it_scanned() {
        for text in ["7K3M-9QX2", "HTTPS://CODES.EXAMPLE/C/7K3M-9QX2", " https://codes.example/c/7K3M-9QX2 "] {
            assert_eq!(code(text).as_deref(), Ok("7K3M-9QX2"), "{text}");
        }
        for text in ["", "a\nb", &"7".repeat(201)] {
            assert_eq!(code(text), Err("unacceptable".to_owned()), "{text}");
        }
    }

    #[test]
    fn a_scan_is_refused_for_the_first_reason_that_holds() {
        use CodeStatus::{Generado, Usado, Vencido};

        assert_eq!(hopeless(true, true, Generado), None);
        for state in [Generado, Usado, Vencido] {
            assert_eq!(hopeless(false, false, state), Some(UseRefusal::WrongCode));
            assert_eq!(hopeless(true, false, state), Some(UseRefusal::OtherProvider));
        }
        assert_eq!(hopeless(true, true, Usado), Some(UseRefusal::AlreadyUsed));
        assert_eq!(hopeless(true, true, Vencido), Some(UseRefusal::Expired));
    }
}
