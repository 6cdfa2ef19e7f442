//! An invoice as somebody waits for its changes.

use std::sync::Arc;

use store::postgres::{Database, StoreError, invoices::Invoice};
use uuid::Uuid;

use crate::watch::{Answers, SharedReads, Subject, wait::Watched};

impl Watched for Invoice {
    fn subject(&self) -> Subject {
        Subject::invoice(self.invoice_id)
    }

    fn version(&self) -> i64 {
        self.version
    }

    async fn find(database: &Database, invoice_id: Uuid) -> Result<Option<Self>, StoreError> {
        database.find_invoice(invoice_id).await
    }

    fn answers(reads: &SharedReads) -> &Answers<Arc<Self>> {
        &reads.invoices
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderMap, HeaderValue, header};
    use futures::FutureExt;

    use crate::{invoices::body::tests::invoice, state::Services, watch::wait};

    /// Whether the first version of an invoice is news to whoever has `tag` and would wait; nothing as long as he waits.
    fn is_news(tag: Option<&'static str>, longest: Option<Duration>) -> Option<bool> {
        let tag = tag.map(|tag| (header::IF_NONE_MATCH, HeaderValue::from_static(tag)));
        let (api, headers) = (Services::without_servers(), HeaderMap::from_iter(tag));
        let news = wait::news(&api, invoice(), &headers, longest).now_or_never();
        news.map(|news| news.unwrap().is_some())
    }

    #[tokio::test]
    async fn only_who_has_the_present_version_waits() {
        let longest = Some(Duration::from_secs(20));
        for tag in [None, Some("\"7\""), Some("nonsense")] {
            assert_eq!((is_news(tag, None), is_news(tag, longest)), (Some(true), Some(true)), "{tag:?}");
        }
        assert_eq!((is_news(Some("\"1\""), None), is_news(Some("\"1\""), longest)), (Some(false), None));
        assert_eq!(is_news(Some("*"), longest), Some(false), "he knows of no version that could change");
    }
}
