use std::time::Duration;

use clap::Args;
use humantime::parse_duration;
use workflows::{
    StepBounds,
    fridge_sales::{CheckPolicy, SalePolicy},
};

/// The policy of new sales and of questions to machines. Each keeps the one that it began with.
#[derive(Debug, Clone, Args)]
pub(crate) struct SaleSettings {
    /// Until Vendron has to acknowledge a command.
    #[arg(id = "sale-acknowledgement", long = "sale-acknowledgement", env = "PERDURA_SALE_ACKNOWLEDGEMENT", default_value = "5s", value_parser = parse_duration)]
    acknowledgement: Duration,
    /// Until a machine has to begin, and its door to unlock after that.
    #[arg(id = "sale-unlock", long = "sale-unlock", env = "PERDURA_SALE_UNLOCK", default_value = "10s", value_parser = parse_duration)]
    unlock: Duration,
    /// A door that is open for this long is told to the operators.
    #[arg(id = "sale-door-alarm", long = "sale-door-alarm", env = "PERDURA_SALE_DOOR_ALARM", default_value = "60s", value_parser = parse_duration)]
    door_alarm: Duration,
    /// A door that is open for this long is told to them again.
    #[arg(id = "sale-door-escalation", long = "sale-door-escalation", env = "PERDURA_SALE_DOOR_ESCALATION", default_value = "180s", value_parser = parse_duration)]
    door_escalation: Duration,
    /// The final list has to come this long after a door was closed; then the machine is asked.
    #[arg(id = "sale-closed-to-completed", long = "sale-closed-to-completed", env = "PERDURA_SALE_CLOSED_TO_COMPLETED", default_value = "60s", value_parser = parse_duration)]
    closed_to_completed: Duration,
    /// How often the machine of a sale that nothing is heard of is asked.
    #[arg(id = "sale-poll", long = "sale-poll", env = "PERDURA_SALE_POLL", default_value = "30s", value_parser = parse_duration)]
    poll: Duration,
    /// How long a machine that is available again may take to report the end that was not heard.
    #[arg(id = "sale-settle", long = "sale-settle", env = "PERDURA_SALE_SETTLE", default_value = "10s", value_parser = parse_duration)]
    settle: Duration,
    /// A sale is unresolved this long after its door was closed, or was asked to open, when nobody can say how it ended.
    #[arg(id = "sale-overdue", long = "sale-overdue", env = "PERDURA_SALE_OVERDUE", default_value = "15m", value_parser = parse_duration)]
    overdue: Duration,
    /// How long one holder keeps the websocket of a sale; then another takes over.
    #[arg(id = "sale-longest", long = "sale-longest", env = "PERDURA_SALE_LONGEST", default_value = "24h", value_parser = parse_duration)]
    longest: Duration,
    /// How long the late end of an unresolved sale is listened for.
    #[arg(id = "sale-late", long = "sale-late", env = "PERDURA_SALE_LATE", default_value = "10m", value_parser = parse_duration)]
    late: Duration,
    /// The holder of a websocket that gives no sign of life for this long is replaced.
    #[arg(id = "sale-heartbeat", long = "sale-heartbeat", env = "PERDURA_SALE_HEARTBEAT", default_value = "5s", value_parser = parse_duration)]
    heartbeat: Duration,
    /// Alerts of one kind about one machine are this far apart.
    #[arg(id = "sale-alert-window", long = "sale-alert-window", env = "PERDURA_SALE_ALERT_WINDOW", default_value = "5m", value_parser = parse_duration)]
    alert_window: Duration,
    /// How long an alert is tried.
    #[arg(id = "sale-alert-patience", long = "sale-alert-patience", env = "PERDURA_SALE_ALERT_PATIENCE", default_value = "24h", value_parser = parse_duration)]
    alert_patience: Duration,
    /// A step that fails for this long asks for a person's attention.
    #[arg(id = "sale-attention", long = "sale-attention", env = "PERDURA_SALE_ATTENTION", default_value = "24h", value_parser = parse_duration)]
    attention: Duration,
    /// A run that nobody asks for anything ends after this.
    #[arg(id = "sale-first-update", long = "sale-first-update", env = "PERDURA_SALE_FIRST_UPDATE", default_value = "1m", value_parser = parse_duration)]
    first_update: Duration,
    /// Bound of a step on the database while a caller waits; shorter than the deadline of a request.
    #[arg(id = "sale-answering", long = "sale-answering", env = "PERDURA_SALE_ANSWERING", default_value = "3s", value_parser = parse_duration)]
    answering: Duration,
    /// Bound of one attempt at a step.
    #[arg(id = "sale-attempt", long = "sale-attempt", env = "PERDURA_SALE_ATTEMPT", default_value = "45s", value_parser = parse_duration)]
    attempt: Duration,
    /// Longest pause between two attempts.
    #[arg(id = "sale-retry-at-most", long = "sale-retry-at-most", env = "PERDURA_SALE_RETRY_AT_MOST", default_value = "10s", value_parser = parse_duration)]
    retry_at_most: Duration,
}

impl SaleSettings {
    /// The policy of a sale.
    pub(super) const fn sale(&self) -> SalePolicy {
        SalePolicy {
            acknowledgement: self.acknowledgement,
            unlock: self.unlock,
            door_alarm: self.door_alarm,
            door_escalation: self.door_escalation,
            closed_to_completed: self.closed_to_completed,
            poll: self.poll,
            settle: self.settle,
            overdue: self.overdue,
            longest: self.longest,
            late: self.late,
            heartbeat: self.heartbeat,
            alert_window: self.alert_window,
            alert_patience: self.alert_patience,
            first_update: self.first_update,
            bounds: self.bounds(),
        }
    }

    /// The policy of a question to a machine.
    pub(super) const fn check(&self) -> CheckPolicy {
        CheckPolicy { acknowledgement: self.acknowledgement, first_update: self.first_update, bounds: self.bounds() }
    }

    const fn bounds(&self) -> StepBounds {
        StepBounds {
            attention: self.attention,
            answering: self.answering,
            attempt: self.attempt,
            retry_at_most: self.retry_at_most,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        settings: SaleSettings,
    }

    #[test]
    fn the_policies_are_what_is_set() {
        let usual = Settings::parse_from(["test"]).settings;
        assert_eq!((usual.sale().door_escalation.as_secs(), usual.sale().late.as_secs()), (180, 600));
        let set = Settings::parse_from(["test", "--sale-acknowledgement", "70ms", "--sale-unlock", "2s"]).settings;
        assert_eq!((set.sale().acknowledgement.as_millis(), set.sale().unlock.as_secs()), (70, 2));
        assert_eq!(set.check().acknowledgement, set.sale().acknowledgement);
    }
}
