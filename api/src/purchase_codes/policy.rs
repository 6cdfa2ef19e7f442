use std::time::Duration;

use chrono::FixedOffset;
use clap::Args;
use humantime::parse_duration;
use workflows::{StepBounds, purchase_codes::PurchasePolicy};

/// The policy of new purchases. Each keeps the one that it began with.
#[derive(Debug, Clone, Args)]
pub(crate) struct PurchaseSettings {
    /// Time to scan a code.
    #[arg(id = "purchase-expires-in", long = "purchase-expires-in", env = "PERDURA_PURCHASE_EXPIRES_IN", default_value = "72h", value_parser = parse_duration)]
    expires_in: Duration,
    /// How long the loan and the one-time password may stay unanswered before the caller hears no.
    #[arg(id = "purchase-patience", long = "purchase-patience", env = "PERDURA_PURCHASE_PATIENCE", default_value = "2m", value_parser = parse_duration)]
    patience: Duration,
    /// How long after the end of a code its voucher is deleted once more; longer than drawing one takes.
    #[arg(id = "purchase-image-grace", long = "purchase-image-grace", env = "PERDURA_PURCHASE_IMAGE_GRACE", default_value = "1m", value_parser = parse_duration)]
    image_grace: Duration,
    /// Between two tries at a reversal that something stands in the way of.
    #[arg(id = "purchase-blocked-retry", long = "purchase-blocked-retry", env = "PERDURA_PURCHASE_BLOCKED_RETRY", default_value = "1h", value_parser = parse_duration)]
    blocked_retry: Duration,
    /// A step that fails for this long asks for a person's attention.
    #[arg(id = "purchase-attention", long = "purchase-attention", env = "PERDURA_PURCHASE_ATTENTION", default_value = "24h", value_parser = parse_duration)]
    attention: Duration,
    /// A run that nobody asks for its code looks after this whether there is anything to do. Longer than an attempt.
    #[arg(id = "purchase-first-update", long = "purchase-first-update", env = "PERDURA_PURCHASE_FIRST_UPDATE", default_value = "1m", value_parser = parse_duration)]
    first_update: Duration,
    /// Bound of a step on the tables while a caller waits; shorter than the deadline of a request.
    #[arg(id = "purchase-answering", long = "purchase-answering", env = "PERDURA_PURCHASE_ANSWERING", default_value = "3s", value_parser = parse_duration)]
    answering: Duration,
    /// Bound of one attempt at a step: a disbursement asks Mambu up to four times.
    #[arg(id = "purchase-attempt", long = "purchase-attempt", env = "PERDURA_PURCHASE_ATTEMPT", default_value = "45s", value_parser = parse_duration)]
    attempt: Duration,
    /// Longest pause between two attempts.
    #[arg(id = "purchase-retry-at-most", long = "purchase-retry-at-most", env = "PERDURA_PURCHASE_RETRY_AT_MOST", default_value = "30s", value_parser = parse_duration)]
    retry_at_most: Duration,
    /// The organisation's offset from UTC, such as -06:00: its days begin and end by it.
    #[arg(
        id = "organisation-offset",
        long = "organisation-offset",
        env = "PERDURA_ORGANISATION_OFFSET",
        default_value = "-06:00",
        allow_hyphen_values = true
    )]
    offset: FixedOffset,
}

impl PurchaseSettings {
    /// The policy of a purchase.
    pub(super) fn policy(&self) -> PurchasePolicy {
        PurchasePolicy {
            expires_in: self.expires_in,
            utc_offset_seconds: self.offset.local_minus_utc(),
            patience: self.patience,
            image_grace: self.image_grace,
            blocked_retry: self.blocked_retry,
            first_update: self.first_update,
            bounds: StepBounds {
                attention: self.attention,
                answering: self.answering,
                attempt: self.attempt,
                retry_at_most: self.retry_at_most,
            },
        }
    }

    /// The organisation's offset from UTC.
    pub(super) const fn offset(&self) -> FixedOffset {
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        settings: PurchaseSettings,
    }

    #[test]
    fn the_policy_is_what_is_set() {
        let policy = Settings::parse_from(["test"]).settings.policy();
        assert_eq!((policy.expires_in.as_secs(), policy.utc_offset_seconds), (259_200, -21_600));
        let settings = ["test", "--purchase-expires-in", "90s", "--organisation-offset", "-03:30"];
        let policy = Settings::parse_from(settings).settings.policy();
        assert_eq!((policy.expires_in.as_secs(), policy.utc_offset_seconds), (90, -12_600));
        assert!(Settings::try_parse_from(["test", "--organisation-offset", "Mexico"]).is_err());
    }
}
