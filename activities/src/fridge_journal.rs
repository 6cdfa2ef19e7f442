#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::sync::Arc;

use store::postgres::{Database, StoreError};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;
use workflows::{
    contracts::{
        alerts::AlertKind,
        fridge_journal::{
            BeginActivity, BeginResult, BeginSale, CORRUPT, HasBegunActivity, NotifiedSale, RecordCheck,
            RecordCheckActivity, TakeNotificationActivity, UNAVAILABLE,
        },
    },
    fridge_sales::{AlertSubject, Notification, SaleStatus, Standing, transaction_id},
};

use crate::{clients::vendron::Vendron, failure::Failing, vending};

/// The sales of the fridges in our own database.
pub struct FridgeJournalActivities {
    /// Where they are.
    pub database: Database,
    /// Whose frames are posted.
    pub vendron: Vendron,
}

#[activities]
impl FridgeJournalActivities {
    /// Records the sale and claims its machine, or finds what became of it.
    #[activity(definition = BeginActivity)]
    pub async fn begin(self: Arc<Self>, _: ActivityContext, begin: BeginSale) -> Result<BeginResult, ActivityError> {
        answered(self.database.begin_sale(&begin).await)
    }

    /// Whether the sale was begun.
    #[activity(definition = HasBegunActivity)]
    pub async fn has_begun(self: Arc<Self>, _: ActivityContext, sale_ref: Uuid) -> Result<bool, ActivityError> {
        let found = answered(self.database.transaction_versions(&[transaction_id(sale_ref)]).await)?;
        Ok(!found.is_empty())
    }

    /// Records that somebody asked how a machine is.
    #[activity(definition = RecordCheckActivity)]
    pub async fn record_check(self: Arc<Self>, _: ActivityContext, check: RecordCheck) -> Result<(), ActivityError> {
        answered(self.database.record_check(&check).await)
    }

    /// Keeps what Vendron posted about a sale, and brings the sale up to what it says.
    #[activity(definition = TakeNotificationActivity)]
    pub async fn take_notification(
        self: Arc<Self>,
        _: ActivityContext,
        notification: Notification,
    ) -> Result<NotifiedSale, ActivityError> {
        answered(self.take(&notification).await)
    }
}

impl FridgeJournalActivities {
    async fn take(&self, notification: &Notification) -> Result<NotifiedSale, StoreError> {
        let sale_ref = notification.sale_ref;
        let recipient = self.database.find_recipient(sale_ref).await?;
        let entry = vending::posted(notification, &recipient, &self.vendron);
        let standing = self.database.journal(&entry).await?.state.standing(&recipient.authorised);
        let machine_id = recipient.machine_id;
        let subject = AlertSubject { sale_ref, machine_id: &machine_id };
        let to_tell = self.to_tell(subject, &standing).await?;
        Ok(NotifiedSale { machine_id, standing, to_tell })
    }

    /// Operators hear of an end if they were told of another one: that it was missed, or that the door had not opened.
    async fn to_tell(&self, subject: AlertSubject<'_>, standing: &Standing) -> Result<Vec<AlertKind>, StoreError> {
        if standing.status == SaleStatus::Unresolved {
            return Ok(vec![AlertKind::Unresolved]);
        }
        let told = [AlertKind::Unresolved, AlertKind::RequestError].map(|kind| subject.alert_id(kind));
        let late = standing.alerts_of_late_end();
        if late.is_empty() || !self.database.has_alert_of(&told).await? {
            return Ok(Vec::new());
        }
        Ok(late)
    }
}

/// The database may come back; rows that contradict themselves do not mend.
fn answered<T>(result: Result<T, StoreError>) -> Result<T, ActivityError> {
    match result {
        Err(error) if !error.is_retryable() => Err(error).terminal(CORRUPT),
        other => other.retryable(UNAVAILABLE),
    }
}
