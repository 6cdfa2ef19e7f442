//! `GET /addresses/{network}/{address}/deposits`: the latest state of every output that pays an address.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chains::{Network, Observation, Transaction};
use crate::connection::Interim;
use crate::faults::{self, System};
use crate::problem::Problem;
use crate::state::Sandbox;

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// Lower bound of `first_seen_at`, itself included.
    since: Option<String>,
}

pub(crate) async fn deposits(
    State(sandbox): State<Arc<Sandbox>>,
    interim: Interim,
    Path((network, address)): Path<(String, String)>,
    Query(filter): Query<Filter>,
) -> Response {
    let parsed = Network::parse(&network).and_then(|network| Ok((network, parse_since(filter.since)?)));
    let (network, since) = match parsed {
        Ok(parsed) => parsed,
        Err(problem) => return problem.into_response(),
    };
    let strike = sandbox.strike(System::Addresses, "deposits", &[&address]);
    faults::answer(strike, &interim, move || list(&sandbox, network, &address, since)).await
}

fn parse_since(since: Option<String>) -> Result<Option<DateTime<Utc>>, Problem> {
    let parse = |text: String| {
        let time = DateTime::parse_from_rfc3339(&text);
        time.map_err(|error| Problem::bad_request(format!("since `{text}` is not RFC 3339: {error}")))
    };
    Ok(since.map(parse).transpose()?.map(|time| time.to_utc()))
}

fn list(sandbox: &Sandbox, network: Network, address: &str, since: Option<DateTime<Utc>>) -> Value {
    let key = network.address_key(address);
    let observations: Vec<Observation> = sandbox.read(|world| {
        let observations = world.chain(network).paying(address).flat_map(Transaction::observations);
        let here = observations.filter(|observation| network.address_key(&observation.address) == key);
        here.filter(|observation| since.is_none_or(|since| observation.first_seen_at >= since)).collect()
    });
    json!({ "observations": observations })
}
