#![expect(missing_docs, reason = "the activity macros generate undocumented constants")]

use std::{error::Error, sync::Arc, time::Duration};

use store::postgres::{
    Database, StoreError,
    fridges::{AlertClaim, AlertTurn},
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use workflows::contracts::alerts::{Alert, AlertResult, REFUSED, TellActivity, UNAVAILABLE};

use crate::{
    clients::slack::{Slack, SlackError},
    failure::Failing,
};

/// Longer than anybody waits for Slack's answer: until then whoever began to tell an alert may be at it.
const CLAIM: Duration = Duration::from_secs(15);

/// The operators, and what they were told.
#[derive(Clone)]
pub struct Operators {
    /// Where alerts are recorded.
    pub database: Database,
    /// Where operators read; none leaves them with the records and the log.
    pub slack: Option<Slack>,
}

/// Why operators are not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TellError {
    /// Our own record of alerts does not answer.
    #[error("the alert cannot be recorded")]
    Record(#[from] StoreError),
    /// Slack does not show it.
    #[error("Slack does not show the alert")]
    Slack(#[from] SlackError),
    /// Another one is telling them.
    #[error("somebody else tells this alert just now")]
    Taken,
}

/// What operators are told.
pub struct AlertsActivities {
    /// Who is told.
    pub operators: Operators,
}

#[activities]
impl AlertsActivities {
    /// Records an alert and tells it, unless there was one like it just before.
    #[activity(definition = TellActivity)]
    pub async fn tell(self: Arc<Self>, _: ActivityContext, alert: Alert) -> Result<AlertResult, ActivityError> {
        match self.operators.tell(&alert).await {
            Err(error) if error.is_final() => Err(error).terminal(REFUSED),
            told => told.retryable(UNAVAILABLE),
        }
    }
}

impl TellError {
    /// Trying again cannot help.
    pub(crate) const fn is_final(&self) -> bool {
        match self {
            Self::Slack(error) => !error.is_retryable(),
            Self::Record(_) | Self::Taken => false,
        }
    }
}

impl Operators {
    /// Records an alert and tells it, unless there was one like it just before. However many do this with one alert, it is
    /// told once.
    pub(crate) async fn tell(&self, alert: &Alert) -> Result<AlertResult, TellError> {
        let claim = match self.database.claim_alert(alert, CLAIM).await? {
            AlertTurn::Tell(claim) => claim,
            AlertTurn::None => return Ok(AlertResult::Recorded),
            AlertTurn::Taken => return Err(TellError::Taken),
        };
        let text = worded(&alert.text, claim.suppressed_before);
        tracing::warn!(kind = alert.kind.as_str(), subject = alert.subject, text, "alert");
        let Some(slack) = &self.slack else {
            // Who has no Slack reads the log.
            self.note(alert).await;
            return Ok(AlertResult::Recorded);
        };
        if let Err(error) = slack.send(&text).await {
            self.release(alert, &claim).await;
            return Err(error.into());
        }
        self.note(alert).await;
        Ok(AlertResult::Sent)
    }

    /// The next attempt need not wait for the end of this one's claim.
    async fn release(&self, alert: &Alert, claim: &AlertClaim) {
        if let Err(error) = self.database.release_alert(alert.alert_id, claim).await {
            tracing::warn!(error = &error as &dyn Error, "an alert was not told and waits for the end of a claim");
        }
    }

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
