//! API keys in memory, for a moment: a burst of requests costs one query, and a revocation counts on every replica within
//! a second.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use store::postgres::{Database, api_keys::ApiKey};

use super::KeyHash;
use crate::problem::Problem;

/// How long an answer of the database is believed. With the time of a query it is well below a second.
const KEPT: Duration = Duration::from_millis(500);
/// Hashes that are remembered at most. Whoever tries keys at random only drives out others that were tried once.
const MOST: u64 = 10_000;

/// The keys, and the hashes that are none, as the database had them a moment ago.
pub(crate) struct KeyCache {
    database: Database,
    kept: Cache<KeyHash, Option<Arc<ApiKey>>>,
}

impl KeyCache {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, kept: Cache::builder().max_capacity(MOST).time_to_live(KEPT).build() }
    }

    /// The key with this hash, unless it was revoked. Who asks while another does shares his query, and its failure.
    pub(crate) async fn find(&self, hash: KeyHash) -> Result<Option<Arc<ApiKey>>, Problem> {
        let query = async { Ok::<_, Problem>(self.database.find_api_key(&hash).await?.map(Arc::new)) };
        self.kept.try_get_with(hash, query).await.map_err(Arc::unwrap_or_clone)
    }
}
