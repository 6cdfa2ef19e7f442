//! Faults that are asked for: which request is hit, and how.

mod inject;
mod release;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::problem::Problem;

pub(crate) use inject::{answer, in_progress};
pub(crate) use release::{Line, Release};

/// Longer than any caller waits.
const HELD: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(2);

/// A part of the sandbox that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum System {
    Addresses,
    Watcher,
    Mambu,
    Ciam,
    Vendron,
    Slack,
}

impl System {
    fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Addresses => &["create", "deposits"],
            Self::Watcher => &["report"],
            Self::Mambu => {
                &["read_loan", "disburse", "adjust", "search", "schedule", "transaction", "client", "arrangement"]
            }
            Self::Ciam => &["validate", "status"],
            Self::Vendron => {
                &["connect", "check", "request", "door_open", "taken", "closed", "completed", "notification"]
            }
            Self::Slack => &["message"],
        }
    }
}

/// How a request fails. A command of a websocket is answered, or not, in the same sense: `error` is a result that is an
/// error, `malformed` half a result. What Vendron reports by itself can be lost (`timeout`), late or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Refused with a 503, without effect; of the watcher: not sent this time.
    Error,
    /// Held, then closed unanswered, without effect.
    Timeout,
    /// The effect happens, the caller never hears of it.
    ExecuteThenTimeout,
    /// Answered late.
    Slow,
    /// The effect happens, the answer is cut off in the middle; of the watcher: half of the body is sent.
    Malformed,
    /// `102 Processing` is said at once and nothing ever after; the effect happens when the delay is over, whether or
    /// not the caller is still there. Until then Mambu says the same to whoever repeats the request.
    #[serde(rename = "status_102")]
    Status102,
    /// The effect happens, the answer is a 500.
    ExecuteThenError,
    /// Refused with a 429 without a body, without effect.
    RateLimited,
    /// The same without a word of when to come again.
    RateLimitedSilently,
    /// Refused with a 502 and a web page, as by a proxy in between, without effect.
    Html,
    /// Of a websocket's commands: acknowledged, the effect happens, the result is not sent.
    NoResult,
}

impl Kind {
    /// Whether what the system does can fail like this.
    fn suits(self, system: System, operation: &str) -> bool {
        match (system, operation) {
            (System::Watcher, _) => !self.is_of_http() && self != Self::NoResult,
            (System::Vendron, "check" | "request" | "door_open") => !self.is_of_http(),
            (System::Vendron, "taken" | "closed" | "completed" | "notification") => {
                matches!(self, Self::Timeout | Self::Slow | Self::Malformed)
            }
            _ => self != Self::NoResult,
        }
    }

    /// Whether it is something that only an HTTP server does, which the watcher and a websocket are not.
    fn is_of_http(self) -> bool {
        matches!(
            self,
            Self::Status102 | Self::ExecuteThenError | Self::RateLimited | Self::RateLimitedSilently | Self::Html
        )
    }

    /// Whether a request that is hit has arrived, and is still being worked on while it is held.
    pub(crate) fn is_processing(self) -> bool {
        matches!(self, Self::Slow | Self::Status102)
    }
}

/// A fault that waits for the requests it hits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    system: System,
    operation: String,
    kind: Kind,
    /// Share of the matching requests that are hit, 0 to 1.
    #[serde(default = "every_time")]
    rate: f64,
    /// Hits that are left; without it, until the faults are deleted.
    #[serde(default)]
    times: Option<u32>,
    /// Hits only requests that name something with this text in it.
    #[serde(default, rename = "match")]
    text: Option<String>,
    /// How long a slow or held request waits, in milliseconds.
    #[serde(default)]
    delay_ms: Option<u64>,
}

fn every_time() -> f64 {
    1.0
}

impl Fault {
    /// Refuses what could never hit anything.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let operations = self.system.operations();
        if !operations.contains(&self.operation.as_str()) {
            let known = operations.join(", ");
            return Err(Problem::unprocessable(format!("unknown operation `{}`, known are: {known}", self.operation)));
        }
        if !(0.0..=1.0).contains(&self.rate) || self.times == Some(0) {
            return Err(Problem::unprocessable("rate must be between 0 and 1, times at least 1"));
        }
        if !self.kind.suits(self.system, &self.operation) {
            return Err(Problem::unprocessable(format!("`{}` has no faults of this kind", self.operation)));
        }
        Ok(())
    }

    pub(crate) fn matches(&self, names: &[&str]) -> bool {
        self.text.as_ref().is_none_or(|text| names.iter().any(|name| name.contains(text.as_str())))
    }

    /// Whether it goes when the faults of `text` go; without a text all go.
    pub(crate) fn is_forgotten_with(&self, text: Option<&str>) -> bool {
        text.is_none() || self.text.as_deref() == text
    }

    fn is_for(&self, system: System, operation: &str) -> bool {
        self.system == system && self.operation == operation && self.times != Some(0)
    }

    /// Draws by the rate and counts the hit.
    fn draw(&mut self) -> bool {
        let [a, b, c, d, ..] = *Uuid::new_v4().as_bytes();
        let drawn = f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
        let hit = drawn < self.rate;
        if hit {
            self.times = self.times.map(|times| times - 1);
        }
        hit
    }

    fn delay(&self) -> Duration {
        let usual = if self.kind == Kind::Slow { SLOW } else { HELD };
        self.delay_ms.map_or(usual, Duration::from_millis)
    }
}

/// The faults that are set, oldest first; the first that hits wins.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) list: Vec<Fault>,
}

/// What a fault does to the one request that it hit.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) kind: Kind,
    delay: Duration,
    /// That of the fault, with which it goes.
    text: Option<String>,
}

impl Faults {
    /// Whether a request that goes by these names is hit.
    pub(crate) fn strike(&mut self, system: System, operation: &str, names: &[&str]) -> Option<Hit> {
        self.strike_where(system, operation, |fault| fault.matches(names)).map(|(hit, _)| hit)
    }

    /// The same for a request about many things; also says which fault it was, for those of them that it matches.
    pub(crate) fn strike_where(
        &mut self,
        system: System,
        operation: &str,
        matches: impl Fn(&Fault) -> bool,
    ) -> Option<(Hit, Fault)> {
        let mut candidates = self.list.iter_mut().filter(|fault| fault.is_for(system, operation) && matches(fault));
        let fault = candidates.find_map(|fault| fault.draw().then(|| fault.clone()))?;
        self.list.retain(|fault| fault.times != Some(0));
        Some((Hit { kind: fault.kind, delay: fault.delay(), text: fault.text.clone() }, fault))
    }
}

/// A hit, with the line by which a held request is let go.
pub(crate) struct Strike {
    pub(crate) kind: Kind,
    delay: Duration,
    text: Option<String>,
    line: Line,
}

impl Strike {
    /// What was let go before the line was there, it does not hear of.
    pub(crate) fn new(hit: Hit, line: Line) -> Self {
        Self { kind: hit.kind, delay: hit.delay, text: hit.text, line }
    }

    /// Waits as long as the fault says, or until it is deleted, or would be if it were still there.
    pub(crate) async fn wait(&mut self) {
        // Over or let go: either way it goes on.
        let _ = tokio::time::timeout(self.delay, self.line.until_let_go(self.text.as_deref())).await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn times_count_down_and_the_text_must_match() {
        let mut faults = Faults::default();
        faults.list.push(fault(r#"{"system":"addresses","operation":"create","kind":"error","times":2,"match":"ab"}"#));
        assert!(faults.strike(System::Addresses, "create", &["xyz"]).is_none());
        assert!(faults.strike(System::Addresses, "deposits", &["abc"]).is_none());
        assert!(faults.strike(System::Addresses, "create", &["abc"]).is_some());
        assert!(faults.strike(System::Addresses, "create", &["zab"]).is_some());
        assert!(faults.strike(System::Addresses, "create", &["abc"]).is_none());
        assert!(faults.list.is_empty());
    }

    /// Whether one who is held by a fault with this text goes on. However long ago his fault has hit for the last time.
    fn goes_on(release: &Release, text: Option<&str>, let_go: Option<&str>) -> bool {
        let hit = Hit { kind: Kind::Slow, delay: Duration::from_hours(1), text: text.map(str::to_owned) };
        let mut strike = Strike::new(hit, release.line());
        assert!(strike.wait().now_or_never().is_none(), "nobody let him go yet");
        release.let_go(let_go.map(str::to_owned));
        strike.wait().now_or_never().is_some()
    }

    #[tokio::test]
    async fn who_is_held_goes_with_his_own_fault_or_with_all() {
        let release = Release::default();
        for (text, let_go, goes) in [
            (Some("ab"), Some("ab"), true),
            (Some("ab"), None, true),
            (None, None, true),
            (Some("ab"), Some("a"), false),
            (Some("ab"), Some("cd"), false),
            (None, Some("ab"), false),
        ] {
            assert_eq!(goes_on(&release, text, let_go), goes, "{let_go:?} was let go, he is held by {text:?}");
        }
    }

    #[tokio::test]
    async fn what_was_let_go_since_the_line_was_there_is_not_missed() {
        let release = Release::default();
        let line = release.line();
        for text in ["ab", "cd"] {
            release.let_go(Some(text.to_owned()));
        }
        for (text, goes) in [("ab", true), ("cd", true), ("ef", false)] {
            let hit = Hit { kind: Kind::Slow, delay: Duration::from_hours(1), text: Some(text.to_owned()) };
            let gone = Strike::new(hit, line.clone()).wait().now_or_never();
            assert_eq!(gone.is_some(), goes, "{text}");
        }
    }

    #[test]
    fn a_rate_of_zero_never_hits_and_of_one_always() {
        let mut never = fault(r#"{"system":"watcher","operation":"report","kind":"slow","rate":0}"#);
        let mut always = fault(r#"{"system":"watcher","operation":"report","kind":"slow"}"#);
        assert!((0..100).all(|_| !never.draw() && always.draw()));
    }

    #[test]
    fn what_could_never_hit_is_refused() {
        for bad in [
            r#"{"system":"watcher","operation":"create","kind":"slow"}"#,
            r#"{"system":"watcher","operation":"report","kind":"slow","rate":1.5}"#,
            r#"{"system":"watcher","operation":"report","kind":"slow","times":0}"#,
            r#"{"system":"watcher","operation":"report","kind":"html"}"#,
            r#"{"system":"mambu","operation":"report","kind":"html"}"#,
            r#"{"system":"mambu","operation":"disburse","kind":"no_result"}"#,
            r#"{"system":"vendron","operation":"request","kind":"rate_limited"}"#,
            r#"{"system":"vendron","operation":"connect","kind":"no_result"}"#,
            r#"{"system":"vendron","operation":"taken","kind":"error"}"#,
            r#"{"system":"vendron","operation":"notification","kind":"error"}"#,
        ] {
            assert!(fault(bad).check().is_err(), "{bad}");
        }
        for good in [
            r#"{"system":"mambu","operation":"disburse","kind":"status_102","delay_ms":5}"#,
            r#"{"system":"mambu","operation":"adjust","kind":"execute_then_error"}"#,
            r#"{"system":"ciam","operation":"validate","kind":"rate_limited"}"#,
            r#"{"system":"vendron","operation":"connect","kind":"html"}"#,
            r#"{"system":"vendron","operation":"door_open","kind":"no_result"}"#,
            r#"{"system":"vendron","operation":"completed","kind":"timeout"}"#,
            r#"{"system":"vendron","operation":"notification","kind":"malformed"}"#,
            r#"{"system":"slack","operation":"message","kind":"rate_limited"}"#,
        ] {
            assert!(fault(good).check().is_ok(), "{good}");
        }
    }
}
