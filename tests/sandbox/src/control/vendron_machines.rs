//! `/_control/vendron/machines/{uid}`: machines come into being, change, and are shown as they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::{Body, Problem};
use crate::state::{Sandbox, World};
use crate::vendron::{self, Machine, Quirk};

const LONGEST_UID: usize = 64;

/// What is left out stays as it is. A new machine is online and free, and a newer websocket goes on with its sale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    online: Option<bool>,
    /// Somebody has it whose sale is none of ours.
    busy: Option<bool>,
    /// The events of a sale whose websocket is gone go to a newer one that asked for the machine.
    resumes: Option<bool>,
    /// They wait for it.
    keeps_events: Option<bool>,
    /// The end of a sale is posted as well, to the address that its client gave.
    notifies: Option<bool>,
    /// The code that every command is refused with; 0 ends that.
    refuses_with: Option<i64>,
    /// Fields that are left out of every frame.
    omit: Option<BTreeSet<String>>,
    quirks: Option<BTreeSet<Quirk>>,
}

impl Request {
    fn change(self, machine: &mut Machine) {
        set_if_given(&mut machine.is_online, self.online);
        set_if_given(&mut machine.is_busy, self.busy);
        set_if_given(&mut machine.reporting.resumes, self.resumes);
        set_if_given(&mut machine.reporting.keeps_events, self.keeps_events);
        set_if_given(&mut machine.reporting.notifies, self.notifies);
        set_if_given(&mut machine.refuses_with, self.refuses_with.map(|code| (code != 0).then_some(code)));
        set_if_given(&mut machine.style.omit, self.omit);
        set_if_given(&mut machine.style.quirks, self.quirks);
    }
}

fn set_if_given<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

/// Creates a machine, or changes it.
pub(super) async fn set(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Body(request): Body<Request>,
) -> Result<Json<Value>, Problem> {
    check_uid(&uid)?;
    sandbox.change(|world| {
        let mut machine = world.cloud.machine(&uid).cloned().unwrap_or_else(|| Machine::new(&uid));
        request.change(&mut machine);
        vendron::keep(world, machine);
        Ok(())
    })?;
    show(State(sandbox), Path(uid)).await
}

/// A uid is a segment of a path here.
fn check_uid(uid: &str) -> Result<(), Problem> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if uid.is_empty() || uid.len() > LONGEST_UID || !uid.bytes().all(is_plain) {
        let reason = format!("`{uid}` is no uid: 1 to {LONGEST_UID} letters, digits, hyphens, underscores and points");
        return Err(Problem::unprocessable(reason));
    }
    Ok(())
}

pub(super) async fn show(State(sandbox): State<Arc<Sandbox>>, Path(uid): Path<String>) -> Result<Json<Value>, Problem> {
    sandbox.read(|world| view(world, &uid)).map(Json)
}

/// Everything that a test can wait for. Of the sale that runs, its fields are the machine's; the one that ended last is
/// told apart.
pub(super) fn view(world: &World, uid: &str) -> Result<Value, Problem> {
    let machine = world.cloud.known(uid)?;
    let mut view = json!({
        "machine_uid": machine.uid,
        "online": machine.is_online,
        "busy": machine.is_busy,
        "resumes": machine.reporting.resumes,
        "keeps_events": machine.reporting.keeps_events,
        "notifies": machine.reporting.notifies,
        "refuses_with": machine.refuses_with,
        "omit": machine.style.omit,
        "quirks": machine.style.quirks,
        "sockets": world.cloud.sockets.asked_for(uid).len(),
        "listener": world.cloud.listener(uid),
        "kept": machine.kept.len(),
        "sessions_begun": machine.sales,
        "session": null, "ref": null, "order": null, "door": "locked", "taken": [], "ended": null,
    });
    let Some(sale) = &machine.sale else { return Ok(view) };
    if let Some(ending) = sale.ending {
        view["ended"] = json!({
            "ending": ending, "session": sale.session, "ref": sale.reference, "taken": sale.taken,
            "notification_url": sale.order.notification_url,
        });
        return Ok(view);
    }
    view["session"] = json!(sale.session);
    view["ref"] = json!(sale.reference);
    view["order"] = json!(sale.order);
    view["door"] = json!(sale.door);
    view["taken"] = json!(sale.taken);
    Ok(view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::vendron::tests::ask;
    use crate::vendron::samples::{self, Client, UID, code};

    #[tokio::test]
    async fn a_machine_is_created_and_changed_field_by_field() {
        let sandbox = samples::sandbox();
        assert_eq!(ask(&sandbox, "VM-0002", None).await.0, 404);
        let (status, made) = ask(&sandbox, "VM-0002", Some("")).await;
        let switches = json!([made["online"], made["resumes"], made["keeps_events"], made["notifies"]]);
        assert_eq!((status, switches), (200, json!([true, true, false, false])));
        let body = r#"{"online":false,"keeps_events":true,"notifies":true,"refuses_with":-11,"quirks":["opened"]}"#;
        ask(&sandbox, "VM-0002", Some(body)).await;
        let changed = ask(&sandbox, "VM-0002", Some(r#"{"refuses_with":0,"busy":true}"#)).await.1;
        let switches = json!([changed["online"], changed["keeps_events"], changed["busy"], changed["refuses_with"]]);
        assert_eq!(switches, json!([false, true, true, null]));
        assert_eq!((&changed["quirks"], &changed["notifies"]), (&json!(["opened"]), &json!(true)));
        assert_eq!(ask(&sandbox, "VM-0002", None).await.1, changed);
        for (uid, body) in [("VM:2", "{}"), ("VM-2", r#"{"on":true}"#), ("VM-2", r#"{"quirks":["sings"]}"#)] {
            assert_eq!(ask(&sandbox, uid, Some(body)).await.0, 422, "{uid} {body}");
        }
    }

    #[tokio::test]
    async fn it_is_shown_with_its_sale_and_who_listens() {
        let sandbox = samples::sandbox();
        let mut buyer = Client::connect(&sandbox);
        let session = buyer.begin_notified_at("http://192.0.2.1/end");
        buyer.ask("smart_fridge_door_open", samples::unlocking(&session));
        let shown = ask(&sandbox, UID, None).await.1;
        assert_eq!((&shown["session"], &shown["door"], &shown["ref"]), (&session, &json!("unlocked"), &json!("r-1")));
        assert_eq!((&shown["sockets"], &shown["listener"]), (&json!(1), &json!(buyer.id)));
        assert_eq!(shown["order"]["total_amount"], "30.00");
        assert_eq!(shown["order"]["notification_url"], "http://192.0.2.1/end");

        buyer.leave();
        ask(&sandbox, &format!("{UID}/give-up"), Some("")).await;
        let shown = ask(&sandbox, UID, None).await.1;
        assert_eq!((&shown["session"], &shown["sockets"], &shown["listener"]), (&json!(null), &json!(0), &json!(null)));
        assert_eq!((&shown["ended"]["ending"], &shown["ended"]["session"]), (&json!("cancelled"), &session));
        assert_eq!(shown["ended"]["notification_url"], "http://192.0.2.1/end");
    }

    #[tokio::test]
    async fn what_is_set_is_what_clients_meet() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        ask(&sandbox, UID, Some(r#"{"online":false}"#)).await;
        assert_eq!(code(&client.ask("check_machine_state", samples::named())), Some(-4));
        ask(&sandbox, UID, Some(r#"{"online":true,"omit":["session"]}"#)).await;
        assert_eq!(client.begin(), json!(null), "it begins without a session");
    }
}
