//! `POST /vendron/notifications/{ref}/{token}`: what Vendron posts about a sale. Acknowledged means that Temporal has it.

use std::borrow::Cow;

use axum::{
    Json,
    extract::{Request, State},
};
use chrono::Utc;
use serde::Serialize;
use temporalio_client::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowStartOptions};
use temporalio_common::search_attributes::SearchAttributes;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{Schema, Type},
    },
};
use uuid::Uuid;
use workflows::{
    attributes::BUSINESS_KEY,
    fridge_sales::{
        Notification, NotificationInput, SaleNotificationWorkflow, TASK_QUEUE, notification_id,
        notification_workflow_id,
    },
};

use super::{FridgeSales, path::NotificationPath};
use crate::{
    engine::EngineError,
    json,
    problem::{Problem, kinds},
    state::Api,
};

/// What Vendron posts.
pub(crate) struct Posted;

impl ToSchema for Posted {
    fn name() -> Cow<'static, str> {
        "SaleNotification".into()
    }
}

impl PartialSchema for Posted {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
        let frame = r#"{"command":"smart_fridge_request_completed","ref":"0190a0b0-0000-5000-8000-00000000000d"}"#;
        text.description(Some("Anything; a frame as on the websocket of a sale is understood")).examples([frame]).into()
    }
}

/// What was posted is taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenNotification, examples(json!({"ref": "0190a0b0-0000-5000-8000-00000000000d"})))]
pub(crate) struct TakenBody {
    /// The sale that it is about.
    r#ref: Uuid,
}

/// Take a notification of Vendron
///
/// Vendron gets the address of a sale together with the request to open its machine, and posts there what it may not
/// have been able to tell otherwise. Whatever it is, it is kept with the sale, and what is understood settles it, however
/// long ago its connection was lost. The same body again changes nothing.
#[utoipa::path(
    post, path = "/vendron/notifications/{ref}/{token}", operation_id = "notify_sale", tag = "fridge sales",
    params(NotificationPath), request_body(content = Posted, content_type = "*/*"),
    responses((status = 200, description = "It is kept", body = TakenBody)),
)]
pub(crate) async fn notify(
    State(api): State<Api>,
    NotificationPath { sale_ref, token }: NotificationPath,
    request: Request,
) -> Result<Json<TakenBody>, Problem> {
    let sales = api.fridge_sales()?;
    // First, so that nothing is read of a stranger's body.
    if !sales.admits(sale_ref, &token) {
        api.rate_limits.take_from_address(request.extensions(), request.headers())?;
        return Err(Problem::not_found("sale"));
    }
    api.rate_limits.take_notification(sale_ref)?;
    let body = json::read_any(request, &api).await?;
    if body.is_empty() {
        return Err(Problem::new(kinds::INVALID_BODY, "the body is empty"));
    }
    take(&api, sales, sale_ref, legible(&body, &token)).await?;
    Ok(Json(TakenBody { r#ref: sale_ref }))
}

impl FridgeSales {
    /// Whether the token is the one that Vendron got for this sale.
    fn admits(&self, sale_ref: Uuid, token: &str) -> bool {
        self.notification_key.as_ref().is_some_and(|key| key.admits(sale_ref, token))
    }
}

/// What was posted as it may be kept: it may name the address that it was posted to, and Postgres takes no NUL in a text.
fn legible(body: &[u8], token: &str) -> String {
    String::from_utf8_lossy(body).replace('\0', "\u{fffd}").replace(token, "***")
}

async fn take(api: &Api, sales: &FridgeSales, sale_ref: Uuid, body: String) -> Result<(), Problem> {
    let notification_id = notification_id(sale_ref, &body);
    let notification = Notification { notification_id, sale_ref, body, received_at: Utc::now() };
    let input = NotificationInput { notification, policy: sales.settings.sale() };
    let options = WorkflowStartOptions::new(TASK_QUEUE, notification_workflow_id(notification_id))
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        // A run that somebody ended by hand has not taken it: then it may come again.
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicateFailedOnly)
        .static_summary("Posted by Vendron")
        .search_attributes(SearchAttributes::new([BUSINESS_KEY.value_set(sale_ref.to_string())]))
        .build();
    api.engine.begin(SaleNotificationWorkflow::run, input, options).await.map_err(not_taken)
}

/// There is no key to repeat it with: the same body is the same notification.
fn not_taken(error: EngineError) -> Problem {
    match error {
        EngineError::NotTaken(_) => {
            Problem::temporarily_unavailable("the notification was not taken: post it again").caused_by(error)
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{
        body::{Body, to_bytes},
        http::{HeaderMap, header},
    };
    use clap::Parser;
    use serde_json::{Value, json};
    use store::LinkKey;
    use tower::ServiceExt;

    use super::*;
    use crate::{fridge_sales::SaleSettings, router::router, state::Services};

    const SALE: &str = "0190a0b0-0000-5000-8000-00000000000d";

    #[derive(Parser)]
    struct Defaults {
        #[command(flatten)]
        sales: SaleSettings,
    }

    fn key() -> LinkKey {
        LinkKey::new([7; 32])
    }

    fn address(sale: &str) -> String {
        format!("/vendron/notifications/{sale}/{}", key().token(sale.parse().unwrap()))
    }

    fn posted(path: &str, body: &str) -> Request {
        Request::post(path).body(Body::from(body.to_owned())).unwrap()
    }

    /// Status, code and headers of the answer of an API with this key, whose Temporal is away.
    async fn answer(notification_key: Option<LinkKey>, request: Request) -> (u16, Value, HeaderMap) {
        let sales = FridgeSales::new(Defaults::parse_from(["test"]).sales, notification_key);
        let services = Services { fridge_sales: Some(sales), ..Services::without_servers() };
        let response = router(Arc::new(services), &[]).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body: Value = serde_json::from_slice(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
        (head.status.as_u16(), body["code"].clone(), head.headers)
    }

    async fn refused(key: Option<LinkKey>, path: &str) -> (u16, Value) {
        // Whoever is let in hears that the body is empty.
        let (status, code, _headers) = answer(key, posted(path, "")).await;
        (status, code)
    }

    #[tokio::test]
    async fn only_whoever_was_told_of_a_sale_may_tell_of_it() {
        let (own, nothing) = (address(SALE), (404, json!("not_found")));
        assert_eq!(refused(Some(key()), &own).await, (400, json!("invalid_body")));
        assert_eq!(refused(None, &own).await, nothing, "no key is set");
        assert_eq!(refused(Some(LinkKey::new([8; 32])), &own).await, nothing, "another key is set");
        let other = own.replace("00d/", "00e/");
        let (spelled_otherwise, short) = (address(&SALE.replace('-', "")), &own[..own.len() - 1]);
        for path in [other.as_str(), &spelled_otherwise, short, "/vendron/notifications/nonsense/nonsense"] {
            assert_eq!(refused(Some(key()), path).await, nothing, "{path}");
        }
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_that_temporal_does_not_have() {
        let mut request = posted(&address(SALE), "anything at all");
        request.headers_mut().insert(header::ORIGIN, "https://shop.example".parse().unwrap());
        let (status, code, headers) = answer(Some(key()), request).await;
        assert_eq!((status, code), (503, json!("temporarily_unavailable")));
        assert!(headers.contains_key(header::RETRY_AFTER));
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "this is not for pages");
    }

    #[tokio::test]
    async fn a_body_that_would_not_be_legible_is_refused() {
        let mut request = posted(&address(SALE), "\u{1f}\u{8b}");
        request.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        let (status, code, _headers) = answer(Some(key()), request).await;
        assert_eq!((status, code), (415, json!("unsupported_media_type")));
    }

    #[test]
    fn what_is_kept_does_not_tell_where_to_post() {
        let token = key().token(SALE.parse().unwrap());
        let body = format!(r#"{{"notification_url":"https://api.example/{token}","message":"a{}b"}}"#, '\0');
        let kept = r#"{"notification_url":"https://api.example/***","message":"a"#;
        assert_eq!(legible(body.as_bytes(), &token), format!("{kept}\u{fffd}b\"}}"));
        assert_eq!(legible(b"\xff{}", &token), "\u{fffd}{}");
    }
}
