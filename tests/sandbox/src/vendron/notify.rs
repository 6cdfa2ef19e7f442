//! `notification_url`: the end of a sale, posted to the address that its client gave. What Vendron posts there is not
//! published. All that is known of how it tells an end is the frame, so that is what is posted here.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::sale::Event;
use super::tell;
use crate::faults::{Hit, Kind, Strike};
use crate::reply::JSON;
use crate::state::{Sandbox, World};

/// Longer than a healthy receiver ever takes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// From an answer that settles nothing to the next try.
const PAUSE: Duration = Duration::from_millis(200);
/// How long an end is posted again and again.
const PATIENCE: Duration = Duration::from_mins(2);

/// Posts to the addresses that clients gave.
pub(crate) struct Notifier {
    client: reqwest::Client,
}

/// An end that is still to be posted.
pub(super) struct Notification {
    url: String,
    body: String,
    /// What the ledger says of the sale.
    detail: Value,
    /// A fault that holds it back.
    hit: Option<Hit>,
}

impl Notifier {
    pub(crate) fn new() -> reqwest::Result<Self> {
        let client = reqwest::Client::builder().timeout(ANSWERED_WITHIN);
        // The sandbox posts to an address that it was given: no proxy stands between, and it is not sent elsewhere.
        let client = client.no_proxy().redirect(Policy::none()).build()?;
        Ok(Self { client })
    }

    /// Posts once; returns the status of the answer, or none where none came.
    pub(crate) async fn post(&self, url: &str, content_type: &str, body: String) -> Option<StatusCode> {
        let request = self.client.post(url).header(CONTENT_TYPE, content_type).body(body);
        match request.send().await {
            Ok(answer) => Some(answer.status()),
            Err(error) => {
                // Whoever knows the address is let in: it must not be logged.
                let error = error.without_url();
                tracing::debug!(%error, "vendron.notification.unanswered");
                None
            }
        }
    }
}

/// What is to be posted of an event that is told with this text; nothing but an end that somebody wants to have.
pub(super) fn of(world: &mut World, uid: &str, event: &Event, text: &str) -> Option<Notification> {
    let machine = world.cloud.machine(uid).filter(|machine| event.is_end() && machine.reporting.notifies)?;
    let url = machine.notification_url()?.to_owned();
    let detail = machine.sale.as_ref()?.detail(uid);
    let hit = tell::strike(world, uid, "notification");
    let body = match hit.as_ref().map(|hit| hit.kind) {
        None | Some(Kind::Slow) => text.to_owned(),
        Some(Kind::Malformed) => tell::half(text),
        Some(_) => return None,
    };
    Some(Notification { url, body, detail, hit: hit.filter(|hit| hit.kind == Kind::Slow) })
}

/// Posts it until it is taken or refused, or until nobody would any more. A sandbox that stops forgets it.
pub(super) fn start(sandbox: &Arc<Sandbox>, mut notification: Notification) {
    let strike = notification.hit.take().map(|hit| Strike::new(hit, sandbox.subscribe_to_release()));
    let sandbox = Arc::clone(sandbox);
    tokio::spawn(async move {
        if let Some(mut strike) = strike {
            strike.wait().await;
        }
        if tokio::time::timeout(PATIENCE, notification.deliver(&sandbox)).await.is_err() {
            tracing::warn!(sale = %notification.detail["ref"], "vendron.notification.given_up");
        }
    });
}

impl Notification {
    async fn deliver(&self, sandbox: &Sandbox) {
        while !self.attempt(sandbox).await {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether no other try is needed.
    async fn attempt(&self, sandbox: &Sandbox) -> bool {
        let Some(status) = sandbox.notifier.post(&self.url, JSON, self.body.clone()).await else {
            return false;
        };
        let mut detail = self.detail.clone();
        detail["status"] = json!(status.as_u16());
        sandbox.change_quietly(|world| world.happened("vendron", "notified", detail));
        settles(status)
    }
}

/// Whether the same would be answered the same another time.
fn settles(status: StatusCode) -> bool {
    status.is_success() || (status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger;
    use crate::problem::Problem;
    use crate::vendron::play;
    use crate::vendron::sale::{self, Completion};
    use crate::vendron::samples::{self, Client, PostBox, UID};

    /// A sale on a machine that notifies, whose end is to be posted to `url`.
    fn begun(url: &str) -> (Arc<Sandbox>, Client) {
        let sandbox = samples::sandbox();
        samples::change(&sandbox, |machine| machine.reporting.notifies = true);
        let mut client = Client::connect(&sandbox);
        client.begin_notified_at(url);
        (sandbox, client)
    }

    fn happen(
        sandbox: &Arc<Sandbox>,
        telling: &str,
        act: impl FnOnce(&mut World) -> Result<Vec<Event>, Problem>,
    ) -> usize {
        play(sandbox, UID, &serde_json::from_str(telling).unwrap(), act).unwrap()
    }

    /// Ends the sale, or tells its end again.
    fn end(sandbox: &Arc<Sandbox>, telling: &str) -> usize {
        happen(sandbox, telling, |world| sale::give_up(world, UID, ledger::now()))
    }

    fn notified(sandbox: &Sandbox) -> Vec<Value> {
        let is_wanted = |entry: &&ledger::Entry| entry.effect == "notified";
        sandbox.read(|world| world.entries().filter(is_wanted).map(|entry| entry.detail.clone()).collect())
    }

    /// The statuses of all answers, as soon as there are so many.
    async fn statuses(sandbox: &Sandbox, count: usize) -> Vec<Value> {
        while notified(sandbox).len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        notified(sandbox).into_iter().map(|mut detail| detail["status"].take()).collect()
    }

    #[tokio::test]
    async fn an_end_is_posted_as_it_is_told_until_it_is_taken() {
        let mut post_box = PostBox::answering(&[503, 200]).await;
        let (sandbox, mut client) = begun(&post_box.url);
        assert_eq!(end(&sandbox, r#"{"omit":["status"],"ref":"other"}"#), 1);
        let posted = [post_box.next().await, post_box.next().await];
        assert_eq!((&posted[0], posted[0].0.as_str()), (&posted[1], "application/json"));
        assert_eq!(serde_json::from_str::<Value>(&posted[0].1).unwrap(), client.heard()[0]);

        assert_eq!(statuses(&sandbox, 2).await, [503, 200]);
        let session = samples::machine(&sandbox).sale.unwrap().session;
        let expected = json!({ "machine_uid": UID, "ref": "r-1", "session": session, "status": 200 });
        assert_eq!(notified(&sandbox)[1], expected);
        assert!(post_box.stays_empty().await);
    }

    #[tokio::test]
    async fn a_refusal_is_the_last_word_and_too_many_are_not() {
        let cases: [(&[u16], usize); 3] = [(&[404], 1), (&[413, 200], 1), (&[429, 302, 204, 500], 3)];
        for (answers, tries) in cases {
            assert_tried(answers, tries).await;
        }
    }

    async fn assert_tried(answers: &[u16], tries: usize) {
        let mut post_box = PostBox::answering(answers).await;
        let (sandbox, _client) = begun(&post_box.url);
        end(&sandbox, "{}");
        assert_eq!(statuses(&sandbox, tries).await, answers[..tries]);
        for _ in 0..tries {
            post_box.next().await;
        }
        assert!(post_box.stays_empty().await, "{answers:?}");
    }

    #[tokio::test]
    async fn each_telling_is_posted_whoever_listens() {
        let mut post_box = PostBox::answering(&[200]).await;
        let (sandbox, client) = begun(&post_box.url);
        client.leave();
        assert_eq!(end(&sandbox, r#"{"repeat":2}"#), 0, "nobody hears it over a websocket");
        assert_eq!(post_box.next().await, post_box.next().await);
        assert_eq!(end(&sandbox, "{}"), 0);
        post_box.next().await;
        assert_eq!(statuses(&sandbox, 3).await, [200, 200, 200]);
    }

    #[tokio::test]
    async fn nothing_is_posted_unasked() {
        let mut post_box = PostBox::answering(&[200]).await;
        let (sandbox, _client) = begun(&post_box.url);
        samples::change(&sandbox, |machine| machine.reporting.notifies = false);
        end(&sandbox, "{}");
        let (nowhere, _client) = begun("");
        end(&nowhere, "{}");
        assert!(post_box.stays_empty().await && notified(&nowhere).is_empty());
    }

    #[tokio::test]
    async fn only_the_end_is_posted_and_neither_an_error_nor_what_vanishes() {
        let mut post_box = PostBox::answering(&[200]).await;
        let (sandbox, mut client) = begun(&post_box.url);
        happen(&sandbox, "{}", |world| sale::fail(world, UID, -11, None, true));
        client.begin_notified_at(&post_box.url);
        happen(&sandbox, "{}", |world| sale::vanish(world, UID).map(|()| Vec::new()));

        let session = client.begin_notified_at(&post_box.url);
        client.ask("smart_fridge_door_open", samples::unlocking(&session));
        happen(&sandbox, "{}", |world| sale::take(world, UID, Vec::new()));
        happen(&sandbox, "{}", |world| sale::close(world, UID));
        assert!(post_box.stays_empty().await);
        let nothing = Completion { products: Some(Vec::new()), ..Completion::default() };
        happen(&sandbox, "{}", |world| sale::complete(world, UID, nothing, ledger::now()));
        assert!(post_box.next().await.1.contains("smart_fridge_request_completed"));
    }

    #[tokio::test]
    async fn faults_lose_cut_off_and_hold_back_what_is_posted() {
        let mut post_box = PostBox::answering(&[200]).await;
        let (sandbox, mut client) = begun(&post_box.url);
        samples::fault(&sandbox, "notification", "timeout", UID);
        assert_eq!(end(&sandbox, "{}"), 1, "over a websocket it is told");
        assert!(post_box.stays_empty().await);

        client.heard();
        samples::fault(&sandbox, "notification", "malformed", "r-1");
        end(&sandbox, "{}");
        let (half, whole) = (post_box.next().await.1, client.heard()[0].to_string());
        assert_eq!(half, tell::half(&whole));

        samples::fault(&sandbox, "notification", "slow", UID);
        end(&sandbox, "{}");
        assert!(post_box.stays_empty().await);
        sandbox.release_held();
        assert!(post_box.next().await.1.ends_with('}'));
    }

    #[tokio::test]
    async fn nobody_there_is_no_answer() {
        let notifier = Notifier::new().unwrap();
        let gone = PostBox::gone().await;
        for (url, content_type) in [(gone.as_str(), JSON), ("no address", JSON), (gone.as_str(), "no\nheader")] {
            assert_eq!(notifier.post(url, content_type, String::new()).await, None, "{url} {content_type}");
        }
    }
}
