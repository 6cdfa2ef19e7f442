//! Whether this worker lives, and whether it can work.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use store::{dynamodb::PurchaseTables, postgres::Database};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{
    process,
    settings::{Process, WorkerSettings},
};

const PING: Duration = Duration::from_secs(2);

/// What is known of this worker's processes.
pub(crate) struct Health {
    running: Mutex<BTreeMap<&'static str, bool>>,
    database: Database,
    tables: Option<PurchaseTables>,
}

impl Health {
    pub(crate) async fn new(settings: &WorkerSettings) -> anyhow::Result<Self> {
        let running = settings.processes.iter().map(|process| (process.name(), false)).collect();
        let database = process::database(settings, "perdura-worker-health")?;
        let has_tables = settings.processes.contains(&Process::PurchaseCodes);
        let tables = if has_tables { Some(settings.purchase_codes.records.tables().await?) } else { None };
        Ok(Self { running: Mutex::new(running), database, tables })
    }

    pub(crate) fn set_running(&self, process: Process, running: bool) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(process.name(), running);
    }

    async fn report(&self) -> (StatusCode, Value) {
        let processes = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (database, tables) = tokio::join!(answers(self.database.ping()), self.ping_tables());
        let ready = database && tables.unwrap_or(true) && processes.values().all(|running| *running);
        let word = |up: bool| if up { "up" } else { "down" };
        let processes: BTreeMap<_, _> = processes.into_iter().map(|(name, up)| (name, word(up))).collect();
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut report = json!({ "ready": ready, "database": word(database), "processes": processes });
        if let Some(tables) = tables {
            report["tables"] = word(tables).into();
        }
        (status, report)
    }

    /// Whether the tables answer; none where no process has any.
    async fn ping_tables(&self) -> Option<bool> {
        match &self.tables {
            Some(tables) => Some(answers(tables.ping()).await),
            None => None,
        }
    }
}

async fn answers<E>(ping: impl Future<Output = Result<(), E>>) -> bool {
    timeout(PING, ping).await.is_ok_and(|answer| answer.is_ok())
}

/// Answers `/livez` and `/readyz` until the worker stops.
pub(crate) async fn serve(
    address: SocketAddr,
    health: Arc<Health>,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let routes = Router::new()
        .route("/livez", get(|| async { Json(json!({ "alive": true })) }))
        .route("/readyz", get(readyz))
        .with_state(health);
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    let stop = async move {
        // Without a sender the worker is gone as well.
        let _ended = stopping.wait_for(|stop| *stop).await;
    };
    Ok(axum::serve(listener, routes).with_graceful_shutdown(stop).await?)
}

async fn readyz(State(health): State<Arc<Health>>) -> (StatusCode, Json<Value>) {
    let (status, report) = health.report().await;
    (status, Json(report))
}
