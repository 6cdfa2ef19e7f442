//! What a creation costs at Temporal: history events, and calls that its frontend serves.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use system_tests::{History, TestApp, eventually};
use uuid::Uuid;

use crate::{figures::Cost, load::Target};

const CREATE: &str = "ExecuteMultiOperation";

type Calls = BTreeMap<String, u64>;

/// Creates `creations` one after the other and counts the calls meanwhile. The workers' long polls go on in between.
pub(crate) async fn calls(app: &TestApp, target: &Target, creations: u32) -> Result<BTreeMap<String, f64>> {
    let before = served(app).await;
    for number in 0..creations {
        ensure!(target.send(number.into()).await, "a creation failed");
        target.settle(number.into()).await;
    }
    let expected = before.get(CREATE).copied().unwrap_or_default() + u64::from(creations);
    // The server tells its metrics with a delay.
    let counted = |calls: &Calls| calls.get(CREATE).copied().unwrap_or_default() >= expected;
    let after = eventually("the creations to be counted", || served(app), counted).await;
    let each = |(operation, count): (String, u64)| {
        let more = count - before.get(&operation).copied().unwrap_or_default();
        (operation, per_creation(more, creations))
    };
    Ok(after.into_iter().map(each).filter(|(_, calls)| *calls >= 0.01).collect())
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn per_creation(calls: u64, creations: u32) -> f64 {
    calls as f64 / f64::from(creations)
}

/// The cost of the process `workflow_id` so far, by its history.
pub(crate) async fn of(app: &TestApp, name: &'static str, workflow_id: &str, calls: BTreeMap<String, f64>) -> Cost {
    of_history(name, &History::fetch(&app.temporal().await, workflow_id).await, calls)
}

/// The cost that a history tells.
pub(crate) fn of_history(name: &'static str, history: &History, calls: BTreeMap<String, f64>) -> Cost {
    Cost { name, events: history.len(), bytes: history.to_bytes().len(), outline: history.outline(), calls }
}

/// Creates one and gives its id.
pub(crate) async fn one(request: reqwest::RequestBuilder, id: &str) -> Result<Uuid> {
    let body: serde_json::Value = serde_json::from_str(&request.send().await?.error_for_status()?.text().await?)?;
    Ok(body[id].as_str().context("an answer without an id")?.parse()?)
}

/// Requests that Temporal's frontend has served, by operation.
async fn served(app: &TestApp) -> Calls {
    let metrics = match app.http().get(app.stack().temporal_metrics_url()).send().await {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    };
    let mut calls = Calls::new();
    for (operation, count) in metrics.lines().filter_map(counter) {
        *calls.entry(operation).or_default() += count;
    }
    calls
}

fn counter(line: &str) -> Option<(String, u64)> {
    let labels = line.strip_prefix("service_requests{").filter(|line| line.contains("service_name=\"frontend\""))?;
    let (_, operation) = labels.split_once("operation=\"")?;
    let (operation, _) = operation.split_once('"')?;
    let value: f64 = line.rsplit(' ').next()?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter of whole requests")]
    Some((operation.to_owned(), value as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_of_the_frontend_is_read() {
        let line = r#"service_requests{operation="PollWorkflowTaskQueue",service_name="frontend"} 1.2e+01"#;
        assert_eq!(counter(line), Some(("PollWorkflowTaskQueue".to_owned(), 12)));
        assert_eq!(counter(&line.replace("frontend", "history")), None);
    }
}
