//! The URLs at which Vendron notifies us: who gets them, and that nobody else sees them.

use futures::SinkExt;
use serde_json::Value;
use store::LinkKey;
use tokio_tungstenite::tungstenite::Message as Sent;
use uuid::Uuid;

use super::{
    connection::{client, hear, served_to},
    *,
};

const BASE: &str = "https://api.example.com/vendron/notifications";
const SALE: &str = "0190a0b0-0000-7000-8000-00000000000a";
/// The HMAC as another program makes it.
const SECRET: &str = "SkfmDOqXP03FaGW-pt0IubTWK56EnNEZdtCCEp_ocC0";

fn notifications(base: &str) -> Result<Notifications, VendronError> {
    Notifications::new(Url::parse(base).unwrap(), LinkKey::new([7; 32]))
}

fn url_of(sale: &str) -> String {
    let url = notifications(BASE).unwrap().url(Uuid::try_parse(sale).unwrap());
    url.expose_secret().to_owned()
}

fn notified(vendron: Vendron) -> Vendron {
    vendron.notified_at(notifications(BASE).unwrap())
}

fn check() -> Command {
    Command::CheckMachineState { machine_uid: words("VM-0001") }
}

fn commands() -> [Command; 3] {
    [check(), Command::Request(order()), Command::DoorOpen { order: order(), session: words("S-81") }]
}

/// The URLs in the commands that are sent under this reference.
async fn sent(prepared: fn(Vendron) -> Vendron, reference: &str) -> Vec<Value> {
    let (mut socket, served) = served_to(
        |address| prepared(client(address, limits())),
        |mut stream| async move {
            let mut urls = Vec::new();
            for _ in commands() {
                let asked = hear(&mut stream, Sent::is_text).await;
                let asked: Value = serde_json::from_str(asked.to_text().unwrap()).unwrap();
                urls.push(asked["command_data"]["notification_url"].clone());
            }
            urls
        },
    )
    .await;
    for command in commands() {
        socket.send(&command, reference).await.unwrap();
    }
    served.await.unwrap()
}

/// What is kept of these texts when they are heard after these commands were sent for the sale.
async fn kept(commands: &[Command], texts: Vec<String>) -> String {
    let count = texts.len();
    let (mut socket, _served) = served_to(
        |address| notified(client(address, limits())),
        |mut stream| async move {
            for text in texts {
                stream.send(Sent::text(text.clone())).await.unwrap();
                stream.send(Sent::binary(text.into_bytes())).await.unwrap();
            }
            stream
        },
    )
    .await;
    for command in commands {
        socket.send(command, SALE).await.unwrap();
    }
    let mut kept = Vec::new();
    for _ in 0..2 * count {
        kept.push(format!("{:?}", socket.next().await.unwrap()));
    }
    kept.join("\n")
}

#[test]
fn the_url_of_a_sale_never_changes() {
    for base in [BASE, "https://api.example.com/vendron/notifications/"] {
        let url = notifications(base).unwrap().url(Uuid::try_parse(SALE).unwrap());
        assert_eq!(url.expose_secret(), format!("{BASE}/{SALE}/{SECRET}"));
    }
    let url = notifications("http://127.0.0.1:8080").unwrap().url(Uuid::try_parse(SALE).unwrap());
    assert_eq!(url.expose_secret(), format!("http://127.0.0.1:8080/{SALE}/{SECRET}"));
}

#[test]
fn only_an_address_will_do() {
    for base in [
        "ws://127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///notifications",
        "mailto:us@127.0.0.1",
        "https://us@127.0.0.1/",
        "https://:hunter2@127.0.0.1/",
        "https://127.0.0.1/?key=hunter2",
        "https://127.0.0.1/?",
        "https://127.0.0.1/#hunter2",
    ] {
        let error = notifications(base).unwrap_err();
        assert!(matches!(error, VendronError::BadNotificationUrl), "{base}: {error:?}");
        let told = format!("{error} {error:?}");
        assert!(told.contains("notifications") && !told.contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn commands_carry_the_url_of_their_sale_and_questions_none() {
    let (none, url) = (Value::Null, Value::from(format!("{BASE}/{SALE}/{SECRET}")));
    assert_eq!(sent(notified, SALE).await, [none.clone(), url.clone(), url]);
    let unnamed = [none, Value::from(""), Value::from("")];
    assert_eq!(sent(notified, "R").await, unnamed, "no sale has this reference");
    assert_eq!(sent(|vendron| vendron, SALE).await, unnamed, "nobody awaits notifications");
}

#[tokio::test]
async fn a_url_that_is_repeated_is_kept_without_what_is_secret_in_it() {
    let url = url_of(SALE);
    let texts = vec![
        format!(r#"{{"command":"smart_fridge_request_begun","command_data":{{"notification_url":"{url}"}}}}"#),
        format!(r#"{{"command":"{SECRET}","ref":"{url}"}}"#),
        url.replace('/', r"\/"),
        url.replace(':', "%3A").replace('/', "%2F"),
        // None that any UUID in the text belongs to.
        format!("{SECRET} {SECRET}"),
    ];
    for commands in [&commands()[..1], &commands()[..2], &commands()[..]] {
        let kept = kept(commands, texts.clone()).await;
        assert!(kept.contains(&format!("{BASE}/{SALE}/***")) && !kept.contains(SECRET), "{kept}");
    }
}

#[tokio::test]
async fn the_successor_of_a_connection_hides_the_url_before_it_said_a_word() {
    let (other, near) = (url_of("0190a0b0-0000-7000-8000-00000000000b"), url_of(SALE).to_uppercase());
    let texts = vec![format!("é-{}-é", url_of(SALE)), format!("{other} {near}")];
    let kept = kept(&[], texts).await;
    assert!(kept.contains(&format!("{BASE}/{SALE}/***")) && !kept.contains(SECRET), "{kept}");
    assert!(kept.contains("00b/*** ") && kept.contains(&SECRET.to_uppercase()), "{kept}");
}

#[tokio::test]
async fn the_url_is_hidden_among_any_number_of_sales() {
    let others = (0..1000).map(|number| Uuid::from_u128(number).to_string()).collect::<Vec<_>>().join(",");
    let kept = kept(&[check()], vec![format!("{others} {}", url_of(SALE))]).await;
    assert!(kept.contains("/***") && !kept.contains(SECRET), "{kept}");
}

#[tokio::test]
async fn what_is_shown_of_a_client_and_its_connection_has_no_secret() {
    let (mut socket, _served) = served_to(
        |address| notified(client(address, limits())),
        |mut stream| async move {
            let asked = hear(&mut stream, Sent::is_text).await;
            assert!(asked.to_text().unwrap().contains(SECRET));
            stream.send(asked).await.unwrap();
        },
    )
    .await;
    socket.send(&Command::Request(order()), SALE).await.unwrap();
    let received = socket.next().await.unwrap();
    let failed = socket.next().await.unwrap_err();
    let vendron = notified(client(([127, 0, 0, 1], 1).into(), limits()));
    let (notifications, url) = (notifications(BASE).unwrap(), notifications(BASE).unwrap().url(Uuid::nil()));
    let shown = format!("{vendron:?} {socket:?} {received:?} {failed:?} {failed} {notifications:?} {url:?}");
    let nil = url_of(&Uuid::nil().to_string());
    assert!(shown.contains(BASE) && !shown.contains(SECRET) && !shown.contains(&nil), "{shown}");
    assert!(!shown.contains(TOKEN), "{shown}");
}
