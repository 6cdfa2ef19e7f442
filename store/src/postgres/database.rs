use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, PgConnection, PgPool, PgTransaction,
    pool::PoolConnectionMetadata,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use super::StoreError;

/// How long a caller waits for a connection before it hears that the database is away.
const ACQUIRE: Duration = Duration::from_secs(3);
/// So many connections are made without anybody waiting for them. A login on a loaded machine may take longer than its
/// caller waits, and one that is given up each time would never be done.
const KEPT: u32 = 2;
/// A connection that rested longer is tried before it is used. Each was tried when it came back: under load a second time
/// would be a round trip for nothing, and a server that restarts within this costs callers a repeat either way.
const RESTED: Duration = Duration::from_secs(1);

/// Begins a transaction whose statements are planned for the values that they come with.
const BEGIN_SEARCH: &str = "begin read only; set local plan_cache_mode = force_custom_plan";

/// Digits of a second that the database keeps.
pub(super) const SECOND_DIGITS: u16 = 6;

/// A pool of connections to Perdura's database.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) pool: PgPool,
}

impl Database {
    /// A pool of at most `connections`, of which it makes the first two by itself.
    pub fn new(url: &SecretString, connections: u32, application: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.expose_secret().parse().map_err(StoreError::during("reading the URL"))?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(connections.min(KEPT))
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .before_acquire(|connection, rest| Box::pin(try_rested(connection, rest)))
            .connect_lazy_with(options.application_name(application));
        Ok(Self { pool })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(sqlx::migrate!("../migrations").run(&self.pool).await?)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await.map_err(StoreError::during("asking for a sign of life"))?;
        Ok(())
    }

    /// Listens on channels of notifications, on one connection.
    pub async fn listen(&self, channels: &[&str]) -> Result<PgListener, StoreError> {
        let listening = StoreError::during("listening");
        let mut listener = PgListener::connect_with(&self.pool).await.map_err(&listening)?;
        listener.listen_all(channels.iter().copied()).await.map_err(&listening)?;
        Ok(listener)
    }

    /// A transaction for a search by filters of which each may be left out. A connection prepares a statement once, and
    /// after some uses Postgres may keep one plan of it for all values, which can use no index for a filter that may be
    /// null. Statements that are checked when they are compiled cannot be left unprepared.
    pub(super) async fn search_transaction(&self) -> Result<PgTransaction<'static>, sqlx::Error> {
        self.transaction_with(BEGIN_SEARCH).await
    }

    /// A transaction that begins with these statements.
    pub(super) async fn transaction_with(
        &self,
        statements: &'static str,
    ) -> Result<PgTransaction<'static>, sqlx::Error> {
        let pool = self.pool.clone();
        uninterrupted(async move { pool.begin_with(statements).await }).await
    }

    /// A transaction.
    pub(super) async fn transaction(&self) -> Result<PgTransaction<'static>, sqlx::Error> {
        let pool = self.pool.clone();
        uninterrupted(async move { pool.begin().await }).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// On a task of its own. A caller who goes away while a transaction begins would leave its connection in one that the
/// library does not know of: whatever the next ones write there would never be committed.
async fn uninterrupted(
    beginning: impl Future<Output = Result<PgTransaction<'static>, sqlx::Error>> + Send + 'static,
) -> Result<PgTransaction<'static>, sqlx::Error> {
    tokio::spawn(beginning).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

async fn try_rested(connection: &mut PgConnection, rest: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    if rest.idle_for > RESTED {
        connection.ping().await?;
    }
    Ok(true)
}
