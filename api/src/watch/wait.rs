//! `?wait=`: a caller who has the present version of something waits for the next one instead of asking again and again.

use std::{sync::Arc, time::Duration};

use axum::http::HeaderMap;
use store::postgres::{Database, StoreError};
use tokio::time::timeout;
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder,
        path::{Parameter, ParameterIn},
        schema::Type,
    },
};
use uuid::Uuid;

use super::{Answers, SharedReads, Subject};
use crate::{
    etag,
    params::{self, QueryPairs},
    problem::Problem,
    state::Services,
};

/// Shorter than what a handler may take.
const LONGEST: Duration = Duration::from_secs(25);
/// What [`parse`] takes.
const PATTERN: &str = "^(([1-9]|1[0-9]|2[0-5])s|([1-9][0-9]{0,3}|1[0-9]{4}|2[0-4][0-9]{3}|25000)ms)$";

/// Something whose changes a caller may wait for.
pub(crate) trait Watched: Clone + Send + Sync + 'static {
    /// As what it is watched.
    fn subject(&self) -> Subject;

    /// Its version, which grows with every change.
    fn version(&self) -> i64;

    /// Reads it.
    fn find(database: &Database, id: Uuid) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// Where those who were told of its change share what they read.
    fn answers(reads: &SharedReads) -> &Answers<Arc<Self>>;
}

/// How long a caller would wait, if he would.
#[derive(Debug)]
pub(crate) struct Wait(pub(crate) Option<Duration>);

impl TryFrom<QueryPairs> for Wait {
    type Error = Problem;

    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let mut longest = None;
        pairs.read(|name, value| {
            if name != "wait" {
                return Err("is not known here");
            }
            longest = Some(parse(&value)?);
            Ok(())
        })?;
        Ok(Self(longest))
    }
}

impl IntoParams for Wait {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter()]
    }
}

/// The parameter, as the API's description shows it.
pub(crate) fn parameter() -> Parameter {
    let time = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PATTERN)).examples(["20s"]).build();
    let description = "How long to wait for a change, 1ms to 25s, when `If-None-Match` names the present version";
    params::query(("wait", time, description))
}

/// A time to wait: a whole number of seconds or milliseconds.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    // All else that people write for a time could not be told in the description.
    let plain = ["s", "ms"].contains(&unit) && text.starts_with(|digit: char| ('1'..='9').contains(&digit));
    let time = humantime::parse_duration(text).ok().filter(|time| plain && *time <= LONGEST);
    time.ok_or("is no time from 1ms to 25s, as in 20s")
}

/// What is news to a caller: it as it is, or, when he has that version already, as it is once it has another one. Nothing
/// if he would not wait, or if it has none after the `longest` time.
pub(crate) async fn news<T: Watched>(
    api: &Services,
    present: T,
    headers: &HeaderMap,
    longest: Option<Duration>,
) -> Result<Option<T>, Problem> {
    let (subject, version) = (present.subject(), present.version());
    let tag = version.to_string();
    if !etag::has(headers, &tag) {
        return Ok(Some(present));
    }
    // Nobody keeps what he has while he waits for something else.
    drop(present);
    match longest {
        Some(longest) if etag::names(headers, &tag) => changed(api, subject, version, longest).await,
        _ => Ok(None),
    }
}

/// The subject once it has a version beyond `version`; nothing if it has none after the `longest` time, when this process
/// ends, or when too many wait here: the caller asks again, there or at another one.
async fn changed<T: Watched>(
    api: &Services,
    subject: Subject,
    version: i64,
    longest: Duration,
) -> Result<Option<T>, Problem> {
    let Ok(mut watching) = api.watch.watch(subject) else {
        // He knows the present version, which is as good an answer as after a wait in vain.
        return Ok(None);
    };
    let Ok(Ok(known)) = timeout(longest, watching.changed_beyond(version)).await else {
        return Ok(None);
    };
    // In a box, for which nobody has to keep room while he waits.
    Box::pin(api.watch.reads.again(&api.database, subject, known)).await.map(Some)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use store::postgres::invoices::Invoice;

    use super::*;

    const SUBJECT: Subject = Subject::invoice(Uuid::nil());

    #[test]
    fn a_wait_is_a_whole_number_of_seconds_or_milliseconds() {
        for (text, milliseconds) in [
            ("1ms", 1),
            ("999ms", 999),
            ("25000ms", 25_000),
            ("1s", 1000),
            ("9s", 9000),
            ("20s", 20_000),
            ("25s", 25_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn any_other_wait_is_refused() {
        for text in [
            "",
            "s",
            "20",
            "0s",
            "0ms",
            "020s",
            "26s",
            "25001ms",
            "1m",
            "20S",
            "-1s",
            "+1s",
            "1.5s",
            "1s 500ms",
            " 1s",
            "1 s",
            "1s ",
            "1us",
            "٢s",
            "99999999999999999999s",
            "18446744073709551615ms",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn nothing_else_is_asked_here() {
        let asked = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Wait::try_from(QueryPairs(pairs)).map(|Wait(longest)| longest)
        };
        assert_eq!(asked(&[]).unwrap(), None);
        assert_eq!(asked(&[("wait", "2s")]).unwrap(), Some(Duration::from_secs(2)));
        for (name, value) in [("wait", "1h"), ("wait", ""), ("limit", "1")] {
            let refused = format!("{:?}", asked(&[(name, value)]).unwrap_err());
            assert!(refused.contains("invalid_query") && refused.contains(&format!("field: {name:?}")), "{refused}");
        }
    }

    #[tokio::test]
    async fn who_waits_at_the_end_of_the_process_hears_at_once() {
        let api = Services::without_servers();
        let (stop, stopping) = tokio::sync::watch::channel(false);
        stop.send_replace(true);
        api.watch.run(&api.database, stopping).await;
        assert_eq!(changed::<Invoice>(&api, SUBJECT, 1, LONGEST).await.unwrap(), None);
    }

    #[tokio::test]
    async fn where_too_many_wait_one_more_hears_at_once() {
        let api = Services::without_servers();
        let _waiting: Vec<_> = std::iter::from_fn(|| api.watch.watch(SUBJECT).ok()).collect();
        let heard = changed::<Invoice>(&api, SUBJECT, 1, LONGEST).now_or_never();
        assert_eq!(heard.unwrap().unwrap(), None);
    }
}
