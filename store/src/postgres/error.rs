/// Classes of SQLSTATE that pass: connection, authorisation, no such database, serialisation, resources, shutdown, system.
const OUTAGES: [&str; 7] = ["08", "28", "3D", "40", "53", "57", "58"];

/// Why a statement did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or said no.
    #[error("{operation} failed in the database")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// A row says what it may not say.
    #[error("{operation} met a row that cannot be: {what}")]
    Corrupt {
        /// What was tried.
        operation: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The schema could not be brought up to date.
    #[error("the migrations failed")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// Names the operation that met a driver's error.
    pub(crate) fn during(operation: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { operation, source }
    }

    /// A row that contradicts itself.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over errors and words alike")]
    pub(crate) fn corrupt(operation: &'static str, what: impl ToString) -> Self {
        Self::Corrupt { operation, what: what.to_string() }
    }

    /// Whether the database could not be reached or is not ready, as opposed to saying no.
    pub fn is_outage(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        match source {
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| OUTAGES.iter().any(|class| code.starts_with(class)))
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            _ => false,
        }
    }

    /// Whether trying again can help.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Database { .. })
    }
}

/// Whether `error` is the violation of the unique constraint `name`.
pub(crate) fn violates(error: &sqlx::Error, name: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some(name))
}
