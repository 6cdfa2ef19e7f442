//! Everything that is kept, as whoever looks for a secret finds it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, query_scalar};

use crate::TestApp;

/// Something that is kept, by its name and as text.
pub struct Kept {
    /// Where.
    pub name: String,
    /// What; of bytes that are no text only what is text in them.
    pub text: String,
}

impl Kept {
    /// Kept under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    fn file(path: &Path) -> Self {
        Self::new(path.display().to_string(), String::from_utf8_lossy(&fs::read(path).expect("a file")))
    }

    /// Whether this is in one of them.
    pub fn holds(kept: &[Self], text: &str) -> bool {
        kept.iter().any(|kept| kept.text.contains(text))
    }
}

impl TestApp {
    /// Temporal's own database, with what was written and not moved there yet.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn kept_histories(&self) -> Vec<Kept> {
        let is_temporals = |path: &PathBuf| path.to_string_lossy().contains("/temporal.db");
        entries(self.stack().state_dir()).filter(is_temporals).map(|path| Kept::file(&path)).collect()
    }

    /// What every part has logged.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn kept_logs(&self) -> Vec<Kept> {
        files(&self.stack().state_dir().join("logs")).iter().map(|path| Kept::file(path)).collect()
    }

    /// Every row of every table in Postgres, as Postgres writes it.
    ///
    /// # Panics
    /// When the database is away.
    pub async fn kept_rows(&self) -> Vec<Kept> {
        let database = self.database().await;
        let tables: Vec<String> = query_scalar(
            "select format('%I.%I', schemaname, tablename) from pg_tables
             where schemaname not in ('pg_catalog', 'information_schema')",
        )
        .fetch_all(&database)
        .await
        .expect("the tables");
        let mut kept = Vec::new();
        for table in tables {
            let rows = query_scalar(AssertSqlSafe(format!("select kept::text from {table} kept")));
            let rows: Vec<String> = rows.fetch_all(&database).await.expect("its rows");
            kept.push(Kept::new(table, rows.join("\n")));
        }
        kept
    }

    /// What Temporal's server tells of itself.
    ///
    /// # Panics
    /// When it is away.
    pub async fn kept_metrics(&self) -> Kept {
        let answer = self.http().get(self.stack().temporal_metrics_url()).send().await.expect("Temporal");
        Kept::new("metrics of Temporal", answer.text().await.expect("its metrics"))
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
}

/// The files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries(folder).flat_map(below).collect()
}
