//! Tells the workflows that their deposits changed. The notices are rows: what cannot be told now is told later, and money
//! that moves after a run has closed is recorded here.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use futures::{StreamExt, stream};
use store::postgres::{
    Database, StoreError,
    notices::{CHANNEL, DepositNotice},
};
use temporalio_client::{Client, WorkflowStartUpdateOptions, errors::WorkflowUpdateError};
use tokio::{sync::watch, time::timeout};
use workflows::invoices::{DepositsChanged, InvoiceWorkflow, workflow_id};

use crate::{
    process,
    settings::{Process, WorkerSettings},
};

/// Notifications are hints; this often the table is read without one.
const POLL: Duration = Duration::from_secs(1);
/// A notice that was taken and not delivered comes back after this. Longer than a call: one in flight for each invoice.
const LEASE: Duration = Duration::from_secs(15);
/// Bound of one call to Temporal.
const CALL: Duration = Duration::from_secs(10);
/// Between two tries when the database or Temporal is away.
const PAUSE: Duration = Duration::from_secs(1);
const BATCH: i64 = 64;
const IN_FLIGHT: usize = 8;

/// Why a notice could not be delivered now.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("Temporal did not take the update in time")]
    TimeOut,
    #[error("Temporal did not take the update")]
    Update(#[source] Box<WorkflowUpdateError>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Relays until the worker stops, if it runs invoices.
pub(crate) async fn run(settings: Arc<WorkerSettings>, mut stopping: watch::Receiver<bool>) {
    if !settings.processes.contains(&Process::Invoices) {
        return;
    }
    while !*stopping.borrow() {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            ended = relay(&settings) => {
                let Err(error) = ended;
                tracing::warn!(error = format!("{error:#}"), "the relay starts again");
            }
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn relay(settings: &WorkerSettings) -> anyhow::Result<std::convert::Infallible> {
    let database = process::database(settings, "perdura-relay")?;
    let client = settings.temporal.connect().await?;
    let mut hints = database.listen(&[CHANNEL]).await?;
    loop {
        while deliver_due(&database, &client).await? {}
        // No hint within the time is as good as one: the table is the truth.
        if let Ok(hint) = timeout(POLL, hints.recv()).await {
            hint?;
        }
    }
}

/// Delivers one batch. True when there may be more.
async fn deliver_due(database: &Database, client: &Client) -> Result<bool, StoreError> {
    let notices = database.take_deposit_notices(BATCH, LEASE).await?;
    let full = i64::try_from(notices.len()).is_ok_and(|taken| taken == BATCH);
    stream::iter(notices)
        .for_each_concurrent(IN_FLIGHT, |notice| async move {
            if let Err(error) = deliver(database, client, notice).await {
                let invoice_id = notice.invoice_id.to_string();
                tracing::warn!(invoice_id, attempts = notice.attempts, error = %error, "a notice waits for its next try");
            }
        })
        .await;
    Ok(full)
}

async fn deliver(database: &Database, client: &Client, notice: DepositNotice) -> Result<(), RelayError> {
    let handle = client.get_workflow_handle::<InvoiceWorkflow>(workflow_id(notice.invoice_id));
    let changed = DepositsChanged { revision: notice.revision };
    let options = WorkflowStartUpdateOptions::builder().update_id(format!("deposits/{}", notice.revision)).build();
    let told = timeout(CALL, handle.start_update(InvoiceWorkflow::deposits_changed, changed, options)).await;
    match told {
        Err(_) => Err(RelayError::TimeOut),
        Ok(Ok(_accepted)) => Ok(database.forget_deposit_notice(&notice).await?),
        Ok(Err(WorkflowUpdateError::NotFound(_))) => Ok(record_after_close(database, notice).await?),
        Ok(Err(error)) => Err(RelayError::Update(Box::new(error))),
    }
}

/// Of what needs a person, no run is left to tell operators.
async fn record_after_close(database: &Database, notice: DepositNotice) -> Result<(), StoreError> {
    let standing = database.record_after_close(notice.invoice_id, notice.revision, Utc::now()).await?;
    if standing.is_reorged_after_finish() {
        let invoice_id = notice.invoice_id.to_string();
        tracing::warn!(invoice_id, "invoice.reorged_after_finish");
    }
    Ok(())
}
