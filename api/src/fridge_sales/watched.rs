//! A transaction as somebody waits for its changes.

use std::sync::Arc;

use store::postgres::{Database, StoreError, fridges::Transaction};
use uuid::Uuid;

use crate::watch::{Answers, SharedReads, Subject, wait::Watched};

impl Watched for Transaction {
    fn subject(&self) -> Subject {
        Subject::transaction(self.transaction_id)
    }

    fn version(&self) -> i64 {
        self.version
    }

    async fn find(database: &Database, transaction_id: Uuid) -> Result<Option<Self>, StoreError> {
        database.find_transaction(transaction_id).await
    }

    fn answers(reads: &SharedReads) -> &Answers<Arc<Self>> {
        &reads.transactions
    }
}
