//! The sandbox's ledger: every effect that really happened.

use serde_json::Value;

pub(crate) async fn entries(http: &reqwest::Client, sandbox: &str, effect: &str, text: &str) -> Vec<Value> {
    let url = format!("{sandbox}/_control/ledger");
    let answer = http.get(url).query(&[("contains", text)]).send().await.expect("the sandbox");
    let body: Value = answer.json().await.expect("a ledger");
    let entries = body["entries"].as_array().cloned().expect("entries");
    entries.into_iter().filter(|entry| entry["effect"] == effect).collect()
}
