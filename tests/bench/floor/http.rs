//! The floor over HTTP: no key, no idempotency, no validation, no log line; one call and one answer.

use std::{
    io::{Write, stdout},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
    serve::ListenerExt,
};
use serde::Deserialize;
use sqlx::PgPool;
use temporalio_client::{Client, RpcOptions, WorkflowIdConflictPolicy, WorkflowUpdateWithStartOptions};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{
    FloorSettings, TASK_QUEUE,
    gift::FloorGift,
    purchase::FloorPurchase,
    rows::{self, Kept},
    sale::FloorSale,
    workflow::{FloorWorkflow, Note},
};

/// As many as the product's API has.
const CONNECTIONS: u32 = 10;

struct Floor {
    client: Client,
    database: PgPool,
}

#[derive(Deserialize)]
struct Asked {
    text: String,
}

/// Serves until the process ends, on a port that it prints.
pub(crate) async fn run(settings: FloorSettings) -> anyhow::Result<()> {
    let client = settings.temporal.connect().await?;
    let floor = Arc::new(Floor { client, database: rows::pool(&settings.database_url, CONNECTIONS)? });
    let routes = Router::new()
        .route("/notes", post(create))
        .route("/notes/{id}", get(read))
        .route("/purchases", post(issue))
        .route("/gifts", post(redeem))
        .route("/sales", post(open))
        .with_state(floor);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(stdout().lock(), "{}", listener.local_addr()?.port())?;
    let listener = listener.tap_io(|stream| {
        // The product's server sets it too; without it this one would only be slower.
        let _refused = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}

async fn create(
    State(floor): State<Arc<Floor>>,
    Json(asked): Json<Asked>,
) -> Result<(StatusCode, Json<Note>), (StatusCode, String)> {
    let note = Note { id: Uuid::now_v7(), text: asked.text };
    floor.keep(note.clone()).await.map_err(|error| failed(&error))?;
    Ok((StatusCode::CREATED, Json(note)))
}

async fn issue(
    State(floor): State<Arc<Floor>>,
    Json(asked): Json<Asked>,
) -> Result<(StatusCode, Json<Note>), (StatusCode, String)> {
    let note = Note { id: Uuid::now_v7(), text: asked.text };
    floor.issue(note.clone()).await.map_err(|error| failed(&error))?;
    Ok((StatusCode::CREATED, Json(note)))
}

async fn redeem(
    State(floor): State<Arc<Floor>>,
    Json(asked): Json<Asked>,
) -> Result<(StatusCode, Json<Note>), (StatusCode, String)> {
    let note = Note { id: Uuid::now_v7(), text: asked.text };
    floor.redeem(note.clone()).await.map_err(|error| failed(&error))?;
    Ok((StatusCode::CREATED, Json(note)))
}

async fn open(
    State(floor): State<Arc<Floor>>,
    Json(asked): Json<Asked>,
) -> Result<(StatusCode, Json<Note>), (StatusCode, String)> {
    let note = Note { id: Uuid::now_v7(), text: asked.text };
    floor.open(note.clone()).await.map_err(|error| failed(&error))?;
    Ok((StatusCode::CREATED, Json(note)))
}

async fn read(
    State(floor): State<Arc<Floor>>,
    Path(id): Path<Uuid>,
) -> Result<Result<Json<Kept>, StatusCode>, (StatusCode, String)> {
    let kept = rows::find(&floor.database, id).await.map_err(|error| failed(&error.into()))?;
    Ok(kept.map(Json).ok_or(StatusCode::NOT_FOUND))
}

impl Floor {
    async fn keep(&self, note: Note) -> anyhow::Result<Uuid> {
        let options = options(super::workflow_id(note.id));
        let update = (FloorWorkflow::keep, note);
        let started =
            self.client.start_update_with_start_workflow(FloorWorkflow::run, (), update.0, update.1, options).await?;
        Ok(started.get_result(RpcOptions::default()).await?)
    }

    async fn issue(&self, note: Note) -> anyhow::Result<Uuid> {
        let options = options(super::purchase_workflow_id(note.id));
        let update = (FloorPurchase::issue, note);
        let started =
            self.client.start_update_with_start_workflow(FloorPurchase::run, (), update.0, update.1, options).await?;
        Ok(started.get_result(RpcOptions::default()).await?)
    }

    async fn redeem(&self, note: Note) -> anyhow::Result<Uuid> {
        let options = options(super::gift_workflow_id(note.id));
        let update = (FloorGift::redeem, note);
        let started =
            self.client.start_update_with_start_workflow(FloorGift::run, (), update.0, update.1, options).await?;
        Ok(started.get_result(RpcOptions::default()).await?)
    }

    async fn open(&self, note: Note) -> anyhow::Result<Uuid> {
        let options = options(super::sale_workflow_id(note.id));
        let update = (FloorSale::open, note);
        let started =
            self.client.start_update_with_start_workflow(FloorSale::run, (), update.0, update.1, options).await?;
        Ok(started.get_result(RpcOptions::default()).await?)
    }
}

fn options(workflow_id: String) -> WorkflowUpdateWithStartOptions {
    WorkflowUpdateWithStartOptions::new(TASK_QUEUE, workflow_id, WorkflowIdConflictPolicy::UseExisting).build()
}

fn failed(error: &anyhow::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
}
