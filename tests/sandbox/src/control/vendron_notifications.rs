//! `/_control/vendron/machines/{uid}/notify`: what is posted without any reason, to where the end of a sale would be.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{Body, Problem};
use crate::reply::JSON;
use crate::state::{Sandbox, World};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Posting {
    /// Anything: what whoever is notified makes of it is the question.
    bodies: Vec<String>,
    #[serde(default = "usual_type")]
    content_type: String,
}

fn usual_type() -> String {
    JSON.to_owned()
}

/// Posts each body once, one after the other, for the sale that runs or else for the last one. Answers with the status
/// of each answer, null where none came; no fault hits them, and the ledger does not know of them.
pub(super) async fn notify(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Body(posting): Body<Posting>,
) -> Result<Json<Value>, Problem> {
    let url = sandbox.read(|world| notification_url(world, &uid))?;
    let mut statuses = Vec::with_capacity(posting.bodies.len());
    for body in posting.bodies {
        let status = sandbox.notifier.post(&url, &posting.content_type, body).await;
        statuses.push(status.map(|status| status.as_u16()));
    }
    Ok(Json(json!({ "statuses": statuses })))
}

fn notification_url(world: &World, uid: &str) -> Result<String, Problem> {
    let url = world.cloud.known(uid)?.notification_url();
    url.map(str::to_owned).ok_or_else(|| Problem::conflict("no sale of the machine is to be notified of"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::vendron::tests::ask;
    use crate::vendron::samples::{self, Client, PostBox, UID, effects};

    async fn notify(sandbox: &Arc<Sandbox>, body: &str) -> (u16, Value) {
        ask(sandbox, &format!("{UID}/notify"), Some(body)).await
    }

    #[tokio::test]
    async fn bodies_are_posted_once_each_and_in_order() {
        let mut post_box = PostBox::answering(&[200, 503, 404]).await;
        let sandbox = samples::sandbox();
        Client::connect(&sandbox).begin_notified_at(&post_box.url);
        let answered = notify(&sandbox, r#"{"bodies":["{}","no json",""]}"#).await;
        assert_eq!(answered, (200, json!({ "statuses": [200, 503, 404] })));
        for body in ["{}", "no json", ""] {
            assert_eq!(post_box.next().await, ("application/json".to_owned(), body.to_owned()));
        }
        assert_eq!(notify(&sandbox, r#"{"bodies":[]}"#).await, (200, json!({ "statuses": [] })));
        assert!(post_box.stays_empty().await);
        assert_eq!(effects(&sandbox), ["session_begun"]);
    }

    #[tokio::test]
    async fn they_are_of_any_type_and_of_a_sale_that_is_over_too() {
        let mut post_box = PostBox::answering(&[200]).await;
        let sandbox = samples::sandbox();
        Client::connect(&sandbox).begin_notified_at(&post_box.url);
        ask(&sandbox, &format!("{UID}/give-up"), Some("")).await;
        let form = r#"{"bodies":["a=1"],"content_type":"application/x-www-form-urlencoded"}"#;
        assert_eq!(notify(&sandbox, form).await, (200, json!({ "statuses": [200] })));
        assert_eq!(post_box.next().await, ("application/x-www-form-urlencoded".to_owned(), "a=1".to_owned()));
    }

    #[tokio::test]
    async fn what_nobody_answers_has_no_status() {
        let sandbox = samples::sandbox();
        Client::connect(&sandbox).begin_notified_at(&PostBox::gone().await);
        assert_eq!(notify(&sandbox, r#"{"bodies":["{}"]}"#).await, (200, json!({ "statuses": [null] })));
    }

    #[tokio::test]
    async fn without_an_address_there_is_nobody_to_notify() {
        let sandbox = samples::sandbox();
        assert_eq!(notify(&sandbox, r#"{"bodies":["{}"]}"#).await.0, 409, "there was no sale yet");
        Client::connect(&sandbox).begin();
        assert_eq!(notify(&sandbox, r#"{"bodies":["{}"]}"#).await.0, 409, "its client gave none");
        assert_eq!(ask(&sandbox, "VM-9/notify", Some(r#"{"bodies":[]}"#)).await.0, 404);
        for bad in ["{}", r#"{"bodies":[1]}"#, r#"{"bodies":[],"status":1}"#] {
            assert_eq!(notify(&sandbox, bad).await.0, 422, "{bad}");
        }
    }
}
