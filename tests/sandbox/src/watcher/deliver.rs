//! One request of the watcher: what is sent, and what the answer means for each observation in it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Waiting;
use super::reporter::{Answer, Reporter};
use crate::chains::Observation;
use crate::faults::{Kind, Strike};
use crate::state::World;

/// An output on its way, in the version that is sent.
pub(super) struct Sent {
    pub(super) waiting: Waiting,
    pub(super) observation: Observation,
}

/// What is to be done with an observation after it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Again,
    /// The API refused the request as a whole.
    AgainAlone,
}

/// Sends a batch as the fault wants it; nothing is answered where the fault ate the answer.
pub(super) async fn send(reporter: &Reporter, batch: &[Sent], strike: Option<&mut Strike>) -> Attempt {
    let observations: Vec<_> = batch.iter().map(|sent| &sent.observation).collect();
    let body = json!({ "observations": observations }).to_string();
    let Some(strike) = strike else {
        return Attempt::of(reporter.send(body).await);
    };
    match strike.kind {
        Kind::Timeout => {
            strike.wait().await;
            Attempt::lost("not sent: a fault was asked for")
        }
        Kind::Slow => {
            strike.wait().await;
            Attempt::of(reporter.send(body).await)
        }
        Kind::ExecuteThenTimeout => Attempt { heard: false, ..Attempt::of(reporter.send(body).await) },
        Kind::Malformed => {
            let half = body.chars().take(body.chars().count() / 2).collect();
            Attempt { heard: false, ..Attempt::of(reporter.send(half).await) }
        }
        // The others are of servers, and are not taken for the watcher.
        _ => Attempt::lost("not sent: a fault was asked for"),
    }
}

/// How sending ended.
pub(super) struct Attempt {
    pub(super) answer: Result<Answer, String>,
    /// Whether the watcher believes the answer: it does not when a fault took it away.
    heard: bool,
}

impl Attempt {
    fn of(answer: anyhow::Result<Answer>) -> Self {
        Self { answer: answer.map_err(|error| format!("{error:#}")), heard: true }
    }

    fn lost(reason: &str) -> Self {
        Self { answer: Err(reason.to_owned()), heard: false }
    }

    /// Why nothing was taken by the API, where that is so.
    pub(super) fn failure(&self) -> Option<String> {
        match &self.answer {
            Ok(answer) if answer.status == 200 => None,
            Ok(answer) => Some(format!("answered {}: {}", answer.status, answer.body)),
            Err(error) => Some(error.clone()),
        }
    }

    /// The API's word on one observation of the batch.
    pub(super) fn verdict(&self, results: &HashMap<&str, &Value>, sent: &Sent) -> Verdict {
        let answer = match &self.answer {
            Ok(answer) if self.heard => answer,
            _ => return Verdict::Again,
        };
        if matches!(answer.status, 400 | 413 | 422) {
            return Verdict::AgainAlone;
        }
        let result = results.get(sent.observation.id.to_string().as_str());
        match result.and_then(|result| result["result"].as_str()) {
            Some("accepted" | "duplicate" | "stale" | "unmatched" | "rejected") => Verdict::Done,
            _ => Verdict::Again,
        }
    }
}

/// The results of a 200, by observation; of anything else, none.
pub(super) fn results(answer: &Answer) -> HashMap<&str, &Value> {
    let list = answer.body["results"].as_array().filter(|_| answer.status == 200);
    let list = list.into_iter().flatten();
    list.filter_map(|result| Some((result["observation_id"].as_str()?, result))).collect()
}

/// Writes into the ledger what the API answered, and once more on its own what it rejected.
pub(crate) fn record(world: &mut World, observations: &Value, answer: &Answer) {
    if answer.status != 200 {
        return;
    }
    let results = results(answer);
    let of = |observation: &Value| observation["observation_id"].as_str().and_then(|id| results.get(id)).copied();
    let list = observations.as_array().map(Vec::as_slice).unwrap_or_default();
    let told: Vec<_> = list.iter().map(|observation| entry(observation, of(observation))).collect();
    for refused in told.iter().filter(|told| told["result"] == "rejected") {
        tracing::warn!(observation = %refused, "watcher.report.rejected");
        world.happened("watcher", "observation_rejected", refused.clone());
    }
    world.happened("watcher", "observations_reported", json!({ "observations": told }));
}

fn entry(observation: &Value, result: Option<&Value>) -> Value {
    let field = |name: &str| observation.get(name).cloned().unwrap_or_default();
    let said = |name: &str| result.and_then(|result| result.get(name)).cloned().unwrap_or_default();
    json!({
        "observation_id": field("observation_id"), "network_id": field("network_id"), "address": field("address"),
        "tx_id": field("tx_id"), "output_ref": field("output_ref"), "state": field("state"),
        "version": field("version"), "result": said("result"), "reason": said("reason"),
    })
}
