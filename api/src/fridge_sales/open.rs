//! `POST /machines/{machine_id}/open`: sells out of a machine. The answer comes when its door is open, or will not be.

use std::{error::Error, time::Duration};

use axum::{
    Json as Answer,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use temporalio_client::{WorkflowIdConflictPolicy, WorkflowUpdateWithStartOptions};
use temporalio_common::search_attributes::SearchAttributes;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;
use workflows::{
    attributes::{BUSINESS_KEY, BUSINESS_STATUS, MACHINE_ID},
    fridge_sales::{
        DoorStatus, FridgeSaleWorkflow, OpenReply, SaleInput, SaleRequest, SaleStatus, TASK_QUEUE, transaction_id,
        workflow_id,
    },
};

use super::{
    check::{OpenMachine, Order},
    location,
    path::MachinePath,
    refusal,
};
use crate::{
    auth::{Caller, OpenFridges},
    engine::{EngineError, Started},
    idempotency::{IdempotencyKey, check_repeat},
    json::Json,
    openapi::schemas,
    problem::{Problem, kinds},
    state::{Api, Services},
};

/// Part of every sale's id: it can never change.
const ROUTE: &str = "POST /machines/{machine_id}/open";
/// When the same request may have its answer, in seconds: a door opens, or does not, within a few.
const SOON: &str = "1";
/// The same where the end of a sale was missed. Only a late end changes that answer, and it takes its time, if it comes
/// at all.
const LATE: &str = "30";
/// A look into the database that takes longer is not worth the wait: its caller has waited for his deadline already.
const LOOK: Duration = Duration::from_millis(500);

/// What is to be sold.
struct Opening {
    update_id: String,
    input: SaleInput,
}

/// A sale that has begun.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sale, examples(json!({
    "ref": "0190a0b0-0000-5000-8000-00000000000d", "transaction_id": "0190a0b0-0000-5000-8000-00000000000e",
    "status": "open",
})))]
pub(crate) struct SaleBody {
    /// Names the sale to Vendron and to operators.
    r#ref: Uuid,
    /// Under which the sale is read.
    transaction_id: Uuid,
    #[schema(schema_with = schemas::sale_status)]
    status: &'static str,
}

/// Open a machine
///
/// Records the user and the transaction, and opens the machine for him. Until its door is open, or will not be, the
/// answer is 202: the same request, repeated with its key, gets the outcome, and the transaction shows it. After a
/// refusal another try comes with another key. A refused door that turns out to have opened is seen in the transaction,
/// which is unresolved then, or completed with what was taken.
#[utoipa::path(
    post, path = "/machines/{machine_id}/open", operation_id = "open_machine", tag = "fridge sales",
    security(("api_key" = ["fridges:open"])), params(MachinePath, IdempotencyKey), request_body = OpenMachine,
    responses(
        (
            status = 201, description = "The door is open, or was and the sale has ended", body = SaleBody,
            headers(("Location" = String, description = "Where the transaction is read")),
            links(("read it" = (operation_id = "get_transaction", parameters(("id" = "$response.body#/transaction_id"))))),
        ),
        (
            status = 202, description = "Taken, and nobody can say yet whether the door is open", body = SaleBody,
            headers(
                ("Location" = String, description = "Where the transaction is read, once it is recorded"),
                ("Retry-After" = u32, description = "Seconds until the same request may have its answer"),
            ),
        ),
    ),
    extensions(("x-problems" = json!([
        kinds::MACHINE_BUSY.code, kinds::MACHINE_OFFLINE.code, kinds::FRIDGE_REFUSED.code, kinds::FRIDGE_UNANSWERED.code,
        kinds::FRIDGE_INTERRUPTED.code, kinds::UNACCEPTABLE.code,
    ]))),
)]
pub(crate) async fn open(
    State(api): State<Api>,
    caller: Caller<OpenFridges>,
    MachinePath(machine_id): MachinePath,
    key: IdempotencyKey,
    body: Json<OpenMachine>,
) -> Result<Response, Problem> {
    let sales = api.fridge_sales()?;
    let fingerprint = fingerprint(&api, &machine_id, &body.raw)?;
    let Order { buyer, stripe, authorised } = body.value.check(&body.raw)?;
    let machine = api.find_own_machine(&machine_id, &caller.principal).await?;
    let update_id = key.update_id(&caller.principal, ROUTE);
    let request = SaleRequest {
        sale_ref: key.process_id(&caller.principal, ROUTE),
        machine_id: machine.machine_id,
        machine_uid: machine.machine_uid,
        frontend: caller.principal,
        buyer,
        stripe,
        authorised,
        fingerprint,
    };
    let opening = Opening { update_id, input: SaleInput { request, policy: sales.settings.sale() } };
    match start(&api, &opening).await? {
        Ok(reply) => answer(&reply, &opening.input.request),
        Err(EngineError::Pending) => pending(&api, opening.input.request.sale_ref).await,
        Err(error) => Err(error.into()),
    }
}

/// Of the body and the machine: the same key for another machine is another request. What parts of the body are not
/// looked at otherwise have to be JSON all the same.
fn fingerprint(api: &Services, machine_id: &str, body: &[u8]) -> Result<String, Problem> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| Problem::new(kinds::INVALID_JSON, error.to_string()))?;
    api.fingerprint_key.of(json!({ "machine_id": machine_id, "body": body }))
}

/// What the row does not know may run again: the row and its events let no command be sent twice.
async fn start(api: &Api, opening: &Opening) -> Started<OpenReply> {
    let SaleRequest { sale_ref, machine_id, authorised, .. } = &opening.input.request;
    let attributes = SearchAttributes::new([
        BUSINESS_STATUS.value_set(SaleStatus::Requested.to_string()),
        BUSINESS_KEY.value_set(sale_ref.to_string()),
        MACHINE_ID.value_set(machine_id.clone()),
    ]);
    let workflow_id = workflow_id(*sale_ref);
    let options = WorkflowUpdateWithStartOptions::new(TASK_QUEUE, workflow_id, WorkflowIdConflictPolicy::UseExisting)
        .update_id(opening.update_id.clone())
        .static_summary(format!("{machine_id}, up to {authorised}"))
        .search_attributes(attributes)
        .build();
    let process = || (FridgeSaleWorkflow::run, FridgeSaleWorkflow::open);
    let recorded = || api.database.find_open_reply(*sale_ref);
    api.engine.start_once(process, (&opening.input, &()), options, recorded).await
}

fn answer(reply: &OpenReply, request: &SaleRequest) -> Result<Response, Problem> {
    check_repeat(&reply.fingerprint, &request.fingerprint)?;
    if reply.standing.status != SaleStatus::Failed {
        return respond(request.sale_ref, (reply.standing.status, reply.standing.door), true);
    }
    let failure = reply.standing.failure.as_ref();
    let failure =
        failure.ok_or_else(|| Problem::unforeseen(format!("sale {} failed for nothing", request.sale_ref)))?;
    Err(refusal::not_opened(request.sale_ref, failure))
}

/// Taken, and perhaps not recorded yet. Whoever cannot be told whether it is repeats the request all the same.
async fn pending(api: &Services, sale_ref: Uuid) -> Result<Response, Problem> {
    let is_recorded = timeout(LOOK, is_recorded(api, sale_ref)).await.unwrap_or_default();
    respond(sale_ref, (SaleStatus::Opening, DoorStatus::Unknown), is_recorded)
}

async fn is_recorded(api: &Services, sale_ref: Uuid) -> bool {
    let versions = api.database.transaction_versions(&[transaction_id(sale_ref)]).await;
    let versions = versions.inspect_err(|error| tracing::warn!(error = error as &dyn Error, "api.sale.not_looked_up"));
    versions.is_ok_and(|versions| !versions.is_empty())
}

/// 201 once the door was open, also when its sale is unresolved by now; 202 while nobody can say. Where the sale is read
/// is told when it can be.
fn respond(sale_ref: Uuid, (status, door): (SaleStatus, DoorStatus), is_recorded: bool) -> Result<Response, Problem> {
    let transaction_id = transaction_id(sale_ref);
    let body = Answer(SaleBody { r#ref: sale_ref, transaction_id, status: status.as_str() });
    let place = is_recorded.then(|| location(transaction_id)).transpose()?.map(|place| [(header::LOCATION, place)]);
    if door != DoorStatus::Unknown || status.is_settled() {
        return Ok((StatusCode::CREATED, place, body).into_response());
    }
    let retry_after = if status == SaleStatus::Unresolved { LATE } else { SOON };
    Ok((StatusCode::ACCEPTED, place, [(header::RETRY_AFTER, retry_after)], body).into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use workflows::fridge_sales::{Failure, Standing};

    use super::*;

    fn fingerprint_of(machine_id: &str, body: &str) -> Result<String, Problem> {
        fingerprint(&Services::without_servers(), machine_id, body.as_bytes())
    }

    #[tokio::test]
    async fn a_request_is_for_one_machine() {
        let first = fingerprint_of("FRIDGE-1", r#"{"user":{"id":"1"},"stripe":{}}"#).unwrap();
        assert_eq!(first, fingerprint_of("FRIDGE-1", r#"{ "stripe":{}, "user":{"id":"1"} }"#).unwrap());
        assert_ne!(first, fingerprint_of("FRIDGE-2", r#"{"user":{"id":"1"},"stripe":{}}"#).unwrap());
        assert_ne!(first, fingerprint_of("FRIDGE-1", r#"{"user":{"id":"2"},"stripe":{}}"#).unwrap());
        assert_eq!(fingerprint_of("FRIDGE-1", r#"{"user":{"more":1e999}}"#).unwrap_err().code(), "invalid_json");
        let nested =
            |depth| fingerprint_of("FRIDGE-1", &format!("{{\"user\":{}{}}}", "[".repeat(depth), "]".repeat(depth)));
        assert!(nested(126).is_ok());
        assert_eq!(nested(127).unwrap_err().code(), "invalid_json");
    }

    #[tokio::test]
    async fn the_answer_says_where_the_sale_stands() {
        use SaleStatus::{Closed, Completed, Empty, Open, Opening, Requested, Unresolved};

        let sale_ref = Uuid::from_u128(1);
        let unknown = [(Requested, 202), (Opening, 202), (Unresolved, 202), (Completed, 201), (Empty, 201)];
        let known = [Open, Closed, Completed, Empty, Unresolved].map(|status| (status, DoorStatus::Closed, 201));
        let unknown = unknown.map(|(status, code)| (status, DoorStatus::Unknown, code));
        for (status, door, code) in known.into_iter().chain(unknown) {
            let (head, body) = respond(sale_ref, (status, door), true).unwrap().into_parts();
            assert_eq!((head.status.as_u16(), head.headers.contains_key(header::RETRY_AFTER)), (code, code == 202));
            let transaction_id = transaction_id(sale_ref);
            assert_eq!(head.headers[header::LOCATION], format!("/transactions/{transaction_id}"));
            let body: Value = serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
            assert_eq!(body, json!({"ref": sale_ref, "transaction_id": transaction_id, "status": status.as_str()}));
        }
    }

    #[test]
    fn whoever_asks_again_is_told_when_there_may_be_news() {
        let retry_after = |status| {
            let response = respond(Uuid::nil(), (status, DoorStatus::Unknown), true).unwrap();
            response.headers()[header::RETRY_AFTER].clone()
        };
        assert_eq!(retry_after(SaleStatus::Opening), "1");
        assert_eq!(retry_after(SaleStatus::Unresolved), "30", "which may be its last word");
    }

    #[tokio::test]
    async fn nobody_is_sent_where_there_may_be_nothing_to_read() {
        let sale_ref = Uuid::from_u128(1);
        // The database is away, and cannot be asked.
        let (head, body) = pending(&Services::without_servers(), sale_ref).await.unwrap().into_parts();
        assert_eq!(head.status, StatusCode::ACCEPTED);
        assert_eq!(head.headers[header::RETRY_AFTER], "1");
        assert!(!head.headers.contains_key(header::LOCATION));
        let body: Value = serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
        assert_eq!(body["transaction_id"], transaction_id(sale_ref).to_string());
    }

    #[test]
    fn a_door_that_did_not_open_is_a_problem_and_another_body_one_of_its_own() {
        let reply = |failure: Option<Failure>| OpenReply {
            fingerprint: "ab".to_owned(),
            standing: Standing {
                status: SaleStatus::Failed,
                door: DoorStatus::Unknown,
                failure,
                total: None,
                is_disputed: false,
            },
        };
        let code = |reply, fingerprint| answer(&reply, &request(fingerprint)).unwrap_err().code();
        assert_eq!(code(reply(Some(Failure::MachineBusy)), "ab"), "machine_busy");
        assert_eq!(code(reply(Some(Failure::Unanswered)), "ab"), "fridge_unanswered");
        assert_eq!(code(reply(Some(Failure::MachineBusy)), "ac"), "idempotency_key_reused");
        assert_eq!(code(reply(None), "ab"), "internal");
    }

    fn request(fingerprint: &str) -> SaleRequest {
        let body =
            br#"{"user":{"id":"1","email":"a@b.c"},"stripe":{"payment_intent_id":"p","amount":"1","currency":"EUR"}}"#;
        let Order { buyer, stripe, authorised } = crate::json::parse::<OpenMachine>(body).unwrap().check(body).unwrap();
        SaleRequest {
            sale_ref: Uuid::from_u128(1),
            machine_id: "FRIDGE-1".to_owned(),
            machine_uid: "VM-0001".to_owned(),
            frontend: "frontend:app".to_owned(),
            buyer,
            stripe,
            authorised,
            fingerprint: fingerprint.to_owned(),
        }
    }
}
