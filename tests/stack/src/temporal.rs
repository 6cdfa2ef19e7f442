use std::process::Command;

use crate::blueprint::Blueprint;
use crate::child::guarded;
use crate::ready::Probe;

/// The only namespace, which the development server makes by itself.
pub(crate) const NAMESPACE: &str = "default";

/// Every development server has one history shard, whose queues it reads at most 20 times a second by default: each
/// workflow task would wait up to 50 ms. One partition per task queue is enough for one machine.
const DYNAMIC_CONFIG: [&str; 6] = [
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "history.visibilityProcessorMaxPollRPS=2000",
    "history.outboundProcessorMaxPollRPS=2000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
];

pub(crate) fn address(blueprint: &Blueprint) -> String {
    format!("127.0.0.1:{}", blueprint.ports().temporal)
}

pub(crate) fn probe(blueprint: &Blueprint) -> Probe {
    Probe::Http { port: blueprint.allotment.temporal_http, path: "/api/v1/namespaces/default" }
}

pub(crate) fn command(blueprint: &Blueprint) -> Command {
    // What it has answered is in its file: a kill loses nothing and, unlike a shutdown, takes no time.
    let mut command = guarded(&blueprint.tools.temporal, "KILL");
    command.args(["server", "start-dev", "--ip", "127.0.0.1", "--log-level", "warn"]);
    // A person's own profile for some other Temporal must not reach this one.
    command.args(["--disable-config-file", "--disable-config-env"]);
    for (name, port) in [
        ("--port", blueprint.ports().temporal),
        ("--http-port", blueprint.allotment.temporal_http),
        ("--metrics-port", blueprint.allotment.temporal_metrics),
    ] {
        command.arg(name).arg(port.to_string());
    }
    command.arg("--db-filename").arg(blueprint.state.path("temporal.db"));
    command.args(["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]);
    for attribute in &blueprint.search_attributes {
        command.args(["--search-attribute", attribute]);
    }
    let own = blueprint.settings.temporal_settings().iter().map(String::as_str);
    for value in DYNAMIC_CONFIG.into_iter().chain(own) {
        command.args(["--dynamic-config-value", value]);
    }
    user_interface(blueprint, &mut command);
    command
}

fn user_interface(blueprint: &Blueprint, command: &mut Command) {
    if !blueprint.settings.is_local() {
        command.arg("--headless");
        return;
    }
    command.args(["--ui-disable-news-fetch", "--ui-port"]).arg(blueprint.ports().ui.to_string());
    command.arg("--ui-codec-endpoint").arg(format!("http://127.0.0.1:{}", blueprint.ports().codec));
}
