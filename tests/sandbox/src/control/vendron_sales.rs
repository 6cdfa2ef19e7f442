//! `/_control/vendron/machines/{uid}/…`: what a buyer does at an open fridge, and how his sale ends. Each answers with the
//! machine as it is then, and how many frames somebody was `told` at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::vendron::Told;
use super::vendron_machines::view;
use crate::ledger;
use crate::problem::Problem;
use crate::state::{Sandbox, World};
use crate::vendron::sale::{self, Completion, Event};
use crate::vendron::{Product, Telling, play};

type Answer = Result<Json<Value>, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taking {
    products: Vec<Product>,
}

/// `…/take`: products come out.
pub(super) async fn take(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Told { what, telling }: Told<Taking>,
) -> Answer {
    happen(&sandbox, &uid, &telling, |world| sale::take(world, &uid, what.products))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PuttingBack {
    /// One product goes back for each of them.
    vpn: Vec<String>,
}

/// `…/put-back`: products go back in.
pub(super) async fn put_back(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Told { what, telling }: Told<PuttingBack>,
) -> Answer {
    happen(&sandbox, &uid, &telling, |world| sale::put_back(world, &uid, &what.vpn))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    /// The final list follows at once.
    #[serde(default = "yes")]
    complete: bool,
    total: Option<String>,
    transaction_id: Option<String>,
    products: Option<Vec<Product>>,
}

fn yes() -> bool {
    true
}

/// `…/close`: the door is closed, and the sale ends by that.
pub(super) async fn close(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Told { what, telling }: Told<Closing>,
) -> Answer {
    let Closing { complete, total, transaction_id, products } = what;
    happen(&sandbox, &uid, &telling, |world| {
        let mut events = sale::close(world, &uid)?;
        if complete {
            let completion = Completion { total, transaction_id, products };
            events.extend(sale::complete(world, &uid, completion, ledger::now())?);
        }
        Ok(events)
    })
}

/// `…/complete`: the final list comes, whatever came before; of a sale that has ended it comes again.
pub(super) async fn complete(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Told { what, telling }: Told<Completion>,
) -> Answer {
    happen(&sandbox, &uid, &telling, |world| sale::complete(world, &uid, what, ledger::now()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// `…/give-up`: the sale is cancelled, with nothing said of the door.
pub(super) async fn give_up(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Told { what: Nothing {}, telling }: Told<Nothing>,
) -> Answer {
    happen(&sandbox, &uid, &telling, |world| sale::give_up(world, &uid, ledger::now()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failing {
    code: i64,
    /// Defaults to the words that belong to the code.
    message: Option<String>,
    /// Otherwise the sale goes on.
    #[serde(default = "yes")]
    ends: bool,
}

/// `…/error`: `smart_fridge_request_error`, whenever it is.
pub(super) async fn fail(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uid): Path<String>,
    Told { what, telling }: Told<Failing>,
) -> Answer {
    let Failing { code, message, ends } = what;
    happen(&sandbox, &uid, &telling, |world| sale::fail(world, &uid, code, message, ends))
}

fn happen(
    sandbox: &Arc<Sandbox>,
    uid: &str,
    telling: &Telling,
    act: impl FnOnce(&mut World) -> Result<Vec<Event>, Problem>,
) -> Answer {
    let told = play(sandbox, uid, telling, act)?;
    let mut answer = sandbox.read(|world| view(world, uid))?;
    answer["told"] = json!(told);
    Ok(Json(answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::vendron::tests::ask;
    use crate::vendron::samples::{self, Client, UID, effects};

    async fn act(sandbox: &Arc<Sandbox>, what: &str, body: &str) -> (u16, Value) {
        ask(sandbox, &format!("{UID}/{what}"), Some(body)).await
    }

    fn opened() -> (Arc<Sandbox>, Client) {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        client.open();
        (sandbox, client)
    }

    const SOUP: &str = r#"{"products":[{"vpn":"1","name":"Soupe","unit_price":"4.50"}]}"#;

    #[tokio::test]
    async fn a_buyer_takes_puts_back_and_closes() {
        let (sandbox, mut client) = opened();
        let two = r#"{"products":[{"vpn":"1","name":"Soupe","unit_price":"4.50"},{"vpn":"2","name":"Eau"}]}"#;
        let taken = act(&sandbox, "take", two).await.1;
        assert_eq!((taken["taken"].as_array().unwrap().len(), &taken["told"]), (2, &json!(1)));
        assert_eq!(act(&sandbox, "put-back", r#"{"vpn":["2"]}"#).await.1["taken"][0]["vpn"], "1");
        let closed = act(&sandbox, "close", r#"{"total":"9.99","omit":["ref"],"repeat":2}"#).await.1;
        assert_eq!((&closed["ended"]["ending"], &closed["told"]), (&json!("completed"), &json!(4)));

        let heard = client.heard();
        let last = &heard[heard.len() - 1];
        assert_eq!(last["command_data"]["json_data"]["data"]["transaction_total"], "9.99");
        assert!(heard[2..].iter().all(|frame| frame.get("ref").is_none()), "{heard:?}");
        assert_eq!(effects(&sandbox), ["session_begun", "door_opened", "door_closed", "sale_completed"]);
    }

    #[tokio::test]
    async fn closing_and_completing_are_two_things_where_they_have_to_be() {
        let (sandbox, mut client) = opened();
        act(&sandbox, "take", SOUP).await;
        let closed = act(&sandbox, "close", r#"{"complete":false}"#).await.1;
        assert!(closed["session"].is_string() && closed["door"] == "locked", "{closed}");
        assert_eq!(act(&sandbox, "complete", r#"{"quirks":["product_data"]}"#).await.0, 200);
        let heard = client.heard();
        let last = &heard[heard.len() - 1]["command_data"]["json_data"]["data"];
        assert_eq!(last["product_data"][0]["name"], "Soupe");
    }

    #[tokio::test]
    async fn nothing_taken_is_cancelled_and_an_error_is_said_at_once() {
        let (sandbox, mut client) = opened();
        assert_eq!(act(&sandbox, "close", "").await.1["ended"]["ending"], "cancelled");
        client.open();
        client.heard();
        assert_eq!(act(&sandbox, "error", r#"{"code":-11}"#).await.1["ended"]["ending"], "failed");
        let heard = client.heard();
        assert_eq!(heard[0]["command"], "smart_fridge_request_error");
        assert_eq!(heard[0]["command_data"]["error_data"]["code"], -11);
    }

    #[tokio::test]
    async fn what_cannot_happen_is_refused() {
        let sandbox = samples::sandbox();
        for (what, body) in [("take", SOUP), ("close", "{}"), ("complete", "{}"), ("give-up", "{}")] {
            assert_eq!(act(&sandbox, what, body).await.0, 409, "{what}");
        }
        assert_eq!(ask(&sandbox, "VM-9/close", Some("{}")).await.0, 404);
        for (what, body) in [
            ("take", "{}"),
            ("take", r#"{"products":[{"vpn":"1"}]}"#),
            ("close", r#"{"totl":"1"}"#),
            ("close", r#"{"quirks":["sings"]}"#),
            ("give-up", r#"{"total":"1"}"#),
            ("give-up", r#"{"repeat":0}"#),
            ("error", "{}"),
        ] {
            assert_eq!(act(&sandbox, what, body).await.0, 422, "{what} {body}");
        }
        assert_eq!(act(&sandbox, "close", "closed").await.0, 400);
    }
}
