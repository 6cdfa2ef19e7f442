//! Who may import whom: a new edge is a decision.

use std::process::Command;

use serde_json::Value;

const FORBIDDEN_IN_WORKFLOWS: [&str; 7] = ["hyper", "mio", "reqwest", "rustls", "socket2", "sqlx", "sqlx-core"];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn crates_import_only_what_was_decided() {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: Vec<_> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut edges: Vec<_> = packages
        .iter()
        .flat_map(|package| {
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            dependencies.map(move |dependency| (&package["name"], &dependency["name"]))
        })
        .filter_map(|(from, to)| Some((from.as_str()?, to.as_str()?)))
        .filter(|(_, to)| names.contains(to))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    edges.sort_unstable();
    edges.dedup();
    insta::assert_snapshot!(edges.join("\n"), @r"
    activities -> store
    activities -> workflows
    api -> program
    api -> store
    api -> temporal
    api -> workflows
    store -> workflows
    system-tests -> stack
    system-tests -> store
    system-tests -> temporal
    system-tests -> workflows
    workers -> activities
    workers -> program
    workers -> store
    workers -> temporal
    workers -> workflows
    ");
}

#[test]
fn workflows_cannot_touch_the_world() {
    let tree =
        cargo(&["tree", "-p", "workflows", "-e", "normal", "--prefix", "none", "--offline", "--format", "{p} {f}"]);
    let crates: Vec<_> = tree.lines().filter_map(|line| line.split_once(' ')).collect();
    assert!(crates.iter().any(|(name, _)| *name == "temporalio-workflow"), "this is not the tree of workflows");
    let forbidden: Vec<_> =
        crates.iter().filter(|(name, _)| FORBIDDEN_IN_WORKFLOWS.contains(name) || name.starts_with("aws-")).collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
    // The SDK's protocol types name these two, without the parts that reach the network.
    for (name, features) in crates.iter().filter(|(name, _)| ["tokio", "tonic"].contains(name)) {
        for reaching in ["net", "rt", "full", "transport", "channel", "server"] {
            let features = features.split([' ', ',']).skip(1);
            assert!(!features.into_iter().any(|feature| feature == reaching), "{name} has {reaching}");
        }
    }
}
