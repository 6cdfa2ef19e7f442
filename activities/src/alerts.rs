#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::{error::Error, sync::Arc};

use store::postgres::Database;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::contracts::alerts::{Alert, AlertResult, REFUSED, TellActivity, UNAVAILABLE};

use crate::{clients::slack::Slack, failure::Failing};

/// What operators are told.
pub struct AlertsActivities {
    /// Where alerts are recorded.
    pub database: Database,
    /// Where operators read; none leaves them with the records and the log.
    pub slack: Option<Slack>,
}

#[activities]
impl AlertsActivities {
    /// Records an alert and tells it, unless there was one like it just before.
    #[activity(definition = TellActivity)]
    pub async fn tell(self: Arc<Self>, _: ActivityContext, alert: Alert) -> Result<AlertResult, ActivityError> {
        let record = self.database.record_alert(&alert).await.retryable(UNAVAILABLE)?;
        if !record.to_send {
            return Ok(AlertResult::Recorded);
        }
        let text = worded(&alert.text, record.suppressed_before);
        tracing::warn!(kind = alert.kind.as_str(), subject = alert.subject, text, "alert");
        let Some(slack) = &self.slack else {
            return Ok(AlertResult::Recorded);
        };
        match slack.send(&text).await {
            Err(error) if error.is_retryable() => return Err(error).retryable(UNAVAILABLE),
            sent => sent.terminal(REFUSED)?,
        }
        self.note(&alert).await;
        Ok(AlertResult::Sent)
    }
}

impl AlertsActivities {
    /// It is told, whatever the record says: failing here would tell it again.
    async fn note(&self, alert: &Alert) {
        if let Err(error) = self.database.note_alert_sent(alert.alert_id).await {
            tracing::error!(error = &error as &dyn Error, "an alert was told and cannot be recorded as told");
        }
    }
}

/// The alert, with what was kept back before it.
fn worded(text: &str, suppressed: i64) -> String {
    if suppressed > 0 { format!("{text} (and {suppressed} like it before)") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_back_is_counted() {
        assert_eq!(worded("FRIDGE-1 is offline", 0), "FRIDGE-1 is offline");
        assert_eq!(worded("FRIDGE-1 is offline", 3), "FRIDGE-1 is offline (and 3 like it before)");
    }
}
