//! Waiting for what becomes of something with `?wait=`, instead of asking again and again.

use reqwest::{RequestBuilder, StatusCode, header};
use serde_json::Value;

use crate::Answer;

/// The longest that the API holds a request.
const LONG: &str = "25s";

/// Something that has versions, for one who reads it and may wait for the next.
pub struct LongPoll {
    reading: RequestBuilder,
}

impl LongPoll {
    /// What this request reads, which has no query.
    pub const fn of(reading: RequestBuilder) -> Self {
        Self { reading }
    }

    /// What comes after this version, for as long as the API holds a request.
    pub async fn after(&self, known: &Answer) -> Answer {
        self.wait(LONG, known).await
    }

    /// What comes of this while one who began before still waits for what comes after the present version.
    ///
    /// # Panics
    /// When that one is answered first.
    pub async fn outlasting<T>(&self, present: &Answer, meanwhile: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            answer = self.after(present) => panic!("nothing changed, and it did not wait: {answer:#?}"),
            done = meanwhile => done,
        }
    }

    /// Only who has the present version waits. Beside the requests that must not wait there is one that has to, and was
    /// sent before.
    ///
    /// # Panics
    /// When another waits, or that one does not.
    pub async fn assert_only_the_present_version_waits(&self, present: &Answer) {
        let version = present.body["version"].as_i64().expect("a version");
        let later = format!("\"{}\", W/\"{}\"", version + 1, version + 2);
        let at_once = async {
            let mut answers = vec![Answer::to(self.asking(&[("wait", LONG)])).await];
            for tags in ["\"0\"", later.as_str(), "nonsense"] {
                let asking = self.asking(&[("wait", LONG)]).header(header::IF_NONE_MATCH, tags);
                answers.push(Answer::to(asking).await);
            }
            answers
        };
        let answers = self.outlasting(present, at_once).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{answers:#?}");
    }

    /// A wait ends with its time, and no other time than what is documented can be asked for.
    ///
    /// # Panics
    /// When it is otherwise.
    pub async fn assert_a_wait_ends_and_has_bounds(&self, present: &Answer) {
        let over = self.wait("50ms", present).await;
        assert_eq!((over.status, &over.body), (StatusCode::NOT_MODIFIED, &Value::Null));
        assert_eq!(over.headers["etag"], present.headers["etag"]);
        for wait in ["", "0s", "26s", "1h", "-1s", "1", "soon"] {
            self.assert_refused("wait", &[("wait", wait)]).await;
        }
        self.assert_refused("wait", &[("wait", "5s"), ("wait", "5s")]).await;
        self.assert_refused("limit", &[("limit", "1")]).await;
    }

    async fn assert_refused(&self, field: &str, query: &[(&str, &str)]) {
        let refused = Answer::to(self.asking(query)).await;
        assert_eq!((refused.status, refused.text("code")), (StatusCode::BAD_REQUEST, "invalid_query"), "{query:?}");
        assert_eq!(refused.body["errors"][0]["field"], field, "{query:?}");
    }

    async fn wait(&self, wait: &str, known: &Answer) -> Answer {
        let asking = self.asking(&[("wait", wait)]);
        Answer::to(asking.header(header::IF_NONE_MATCH, &known.headers["etag"])).await
    }

    fn asking(&self, query: &[(&str, &str)]) -> RequestBuilder {
        self.reading.try_clone().expect("a request without a body").query(query)
    }
}
