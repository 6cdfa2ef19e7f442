//! `POST /otp/validate`: confirms a loan with a one-time password and answers with the purchase code.

use std::time::SystemTime;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use serde::Serialize;
use temporalio_client::{WorkflowIdConflictPolicy, WorkflowUpdateWithStartOptions};
use temporalio_common::search_attributes::SearchAttributes;
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::{
    attributes::{BUSINESS_KEY, EXPIRES_AT, LOAN_ACCOUNT_ID},
    purchase_codes::{
        CodeStatus, IssueReply, IssueRequest, IssueResult, Purchase, PurchaseCodeWorkflow, PurchaseInput,
        PurchaseRequest, TASK_QUEUE, workflow_id,
    },
};

use super::{PurchaseCodes, body::PurchaseBody, check::IssuePurchase, location, refusal};
use crate::{
    auth::{Caller, IssuePurchases},
    engine::{EngineError, Started, pending},
    idempotency::{IdempotencyKey, check_repeat},
    json::Json,
    problem::{Problem, kinds},
    state::Api,
};

/// Part of every purchase's id: it can never change.
const ROUTE: &str = "POST /otp/validate";

/// What is to be issued. The one-time password stays beside the input: it never becomes part of a run's.
struct Issuing {
    update_id: String,
    input: PurchaseInput,
    otp: IssueRequest,
}

/// A purchase that is under way.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingPurchase, examples(json!({"purchase_id": "0190a0b0-0000-5000-8000-00000000000c"})))]
pub(crate) struct Pending {
    /// Names the purchase to operators.
    purchase_id: Uuid,
}

/// Issue a purchase code
///
/// Spends the one-time password, disburses the loan and answers with the code. Until all of that is done the answer is
/// 202: the same request, repeated with its key, gets the outcome. After a refusal nothing was disbursed, and another
/// one-time password comes with another key.
#[utoipa::path(
    post, path = "/otp/validate", operation_id = "issue_purchase_code", tag = "purchase codes",
    security(("api_key" = ["purchases:issue"])), params(IdempotencyKey), request_body = IssuePurchase,
    responses(
        (
            status = 201, description = "The purchase, as it was when its code was issued", body = PurchaseBody,
            headers(
                ("ETag" = String, description = "The purchase's version"),
                ("Location" = String, description = "Where the purchase is read"),
            ),
            links(
                ("read it" = (operation_id = "get_purchase", parameters(
                    ("id" = "$response.body#/credit_id"), ("code" = "$response.body#/code"),
                ))),
                ("download its voucher" = (operation_id = "download_purchase_voucher", parameters(
                    ("id" = "$response.body#/credit_id"), ("code" = "$response.body#/code"),
                ))),
            ),
        ),
        (
            status = 202, description = "Taken, and not done yet", body = Pending,
            headers(("Retry-After" = u32, description = "Seconds until the same request may have its answer")),
        ),
    ),
    extensions(("x-problems" = json!([
        kinds::OTP_REFUSED.code, kinds::OTP_LOCKED.code, kinds::OTP_UNANSWERED.code, kinds::LOAN_REFUSED.code,
        kinds::PURCHASE_ACTIVE.code, kinds::LOAN_DISBURSED_ELSEWHERE.code, kinds::SCHEDULE_IMPOSSIBLE.code,
        kinds::DISBURSEMENT_REFUSED.code, kinds::UNACCEPTABLE.code,
    ]))),
)]
pub(crate) async fn issue(
    State(api): State<Api>,
    caller: Caller<IssuePurchases>,
    key: IdempotencyKey,
    body: Json<IssuePurchase>,
) -> Result<Response, Problem> {
    let codes = api.purchase_codes()?;
    let amount = body.value.check()?;
    let fingerprint = api.fingerprint_key.fingerprint_without("otp", &body.raw)?;
    let update_id = key.update_id(&caller.principal, ROUTE);
    let IssuePurchase { otp, client_id, credit_line_id, loan_account_id, provider, .. } = body.value;
    let request = PurchaseRequest {
        purchase_id: key.process_id(&caller.principal, ROUTE),
        frontend: caller.principal,
        client_id,
        credit_line_id,
        loan_account_id,
        provider,
        amount,
        fingerprint,
    };
    let issuing = Issuing {
        update_id,
        input: PurchaseInput { request, policy: codes.settings.policy() },
        otp: IssueRequest { otp },
    };
    match start(&api, codes, &issuing).await? {
        Ok(reply) => answer(codes, &reply, &issuing.input.request),
        Err(EngineError::Pending) => Ok(pending(Pending { purchase_id: issuing.input.request.purchase_id })),
        Err(error) => Err(error.into()),
    }
}

/// What the tables do not know may run again: CIAM, Mambu and the tables know the purchase by its id, and let nothing
/// happen twice.
async fn start(api: &Api, codes: &PurchaseCodes, issuing: &Issuing) -> Started<IssueReply> {
    let PurchaseRequest { purchase_id, loan_account_id, amount, .. } = &issuing.input.request;
    let attributes = SearchAttributes::new([
        BUSINESS_KEY.value_set(purchase_id.to_string()),
        LOAN_ACCOUNT_ID.value_set(loan_account_id.clone()),
        EXPIRES_AT.value_set((SystemTime::now() + issuing.input.policy.expires_in).into()),
    ]);
    let workflow_id = workflow_id(*purchase_id);
    let options = WorkflowUpdateWithStartOptions::new(TASK_QUEUE, workflow_id, WorkflowIdConflictPolicy::UseExisting)
        .update_id(issuing.update_id.clone())
        .static_summary(amount.to_string())
        .search_attributes(attributes)
        .build();
    let process = || (PurchaseCodeWorkflow::run, PurchaseCodeWorkflow::issue);
    let recorded = || codes.tables.find_reply(*purchase_id);
    api.engine.start_once(process, (&issuing.input, &issuing.otp), options, recorded).await
}

fn answer(codes: &PurchaseCodes, reply: &IssueReply, request: &PurchaseRequest) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    match &reply.result {
        IssueResult::Issued(purchase) => as_issued(codes, purchase),
        IssueResult::Refused(refusal) => Err(refusal::not_issued(refusal)),
    }
}

/// 201 with the purchase as it was when its code was issued.
fn as_issued(codes: &PurchaseCodes, purchase: &Purchase) -> Result<Response, Problem> {
    let mut response = codes.respond(StatusCode::CREATED, purchase, CodeStatus::Generado)?;
    response.headers_mut().insert(header::LOCATION, location(purchase)?);
    Ok(response)
}
