//! Every invoice that a test made is what its own log says: looked at when the test is over.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::Context;
use secrecy::SecretString;
use stack::Part;
use store::postgres::{Database, StoreError, invoices::Audit};
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::{TestApp, within};

/// Longer than the audit of any test's invoices takes on a loaded machine; only a failing test waits this long.
const DEADLINE: Duration = Duration::from_mins(3);
/// Longer than the database is away for a machine that pauses.
const OUTAGE: Duration = Duration::from_mins(1);

/// Audits the invoices of a merchant when it is dropped, and panics with what is wrong. It holds the stack until then.
pub(crate) struct AuditGuard {
    pub(crate) app: TestApp,
    pub(crate) merchant_id: Uuid,
}

impl AuditGuard {
    /// A test that has failed already, or has taken the database away, has nothing to look at.
    fn is_possible(&self) -> bool {
        !thread::panicking() && self.app.stack().pid(Part::Postgres).is_some()
    }

    /// What is wrong, in sentences. On a thread with a runtime of its own: the test's may have ended.
    fn flaws(&self) -> Result<anyhow::Result<Vec<String>>, RecvTimeoutError> {
        let (url, merchant_id) = (self.app.stack().database_url().to_owned(), self.merchant_id);
        let (tell, told) = mpsc::channel();
        thread::spawn(move || tell.send(audit(url, merchant_id)));
        told.recv_timeout(DEADLINE)
    }
}

impl Drop for AuditGuard {
    fn drop(&mut self) {
        if !self.is_possible() {
            return;
        }
        match self.flaws() {
            Ok(Ok(flaws)) => assert!(flaws.is_empty(), "not what their logs say: {flaws:#?}"),
            // It went away meanwhile.
            Ok(Err(_)) if !self.is_possible() => {}
            Ok(Err(error)) => panic!("the invoices of {} cannot be audited: {error:#}", self.merchant_id),
            Err(error) => panic!("the audit of {} did not come to an end: {error}", self.merchant_id),
        }
    }
}

fn audit(url: String, merchant_id: Uuid) -> anyhow::Result<Vec<String>> {
    let runtime = Builder::new_current_thread().enable_all().build().context("a runtime")?;
    runtime.block_on(async {
        let database = Database::new(&SecretString::from(url), 1, "perdura-tests")?;
        let look = || database.audit_invoices(Some(merchant_id));
        let is_told = |audit: &Result<Audit, StoreError>| !matches!(audit, Err(StoreError::Database { .. }));
        let (Ok(audit) | Err(audit)) = within(OUTAGE, look, is_told).await;
        Ok(audit?.flaws.iter().map(|(invoice_id, flaw)| format!("invoice {invoice_id}: {flaw}")).collect())
    })
}
