use std::time::Duration;

use clap::Args;
use humantime::parse_duration;
use store::postgres::gifts::GuardRules;
use workflows::{StepBounds, gifts::GiftPolicy};

use super::pin::{PinHasher, PinSettings, Pins};

/// Looking at a PIN is over long before this, whatever it waits for: the API that let it in has died.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// The policy of new redemptions, and how PINs are judged.
#[derive(Debug, Clone, Args)]
pub(crate) struct GiftSettings {
    /// How long the device that used a gift may undo that.
    #[arg(id = "gift-void-window", long = "gift-void-window", env = "PERDURA_GIFT_VOID_WINDOW", default_value = "10m", value_parser = parse_duration)]
    void_window: Duration,
    /// A run that nobody asks anything ends after this.
    #[arg(id = "gift-first-update", long = "gift-first-update", env = "PERDURA_GIFT_FIRST_UPDATE", default_value = "1m", value_parser = parse_duration)]
    first_update: Duration,
    /// A step that fails for this long asks for a person's attention.
    #[arg(id = "gift-attention", long = "gift-attention", env = "PERDURA_GIFT_ATTENTION", default_value = "24h", value_parser = parse_duration)]
    attention: Duration,
    /// Bound of a step on the database while a caller waits; shorter than the deadline of a request.
    #[arg(id = "gift-answering", long = "gift-answering", env = "PERDURA_GIFT_ANSWERING", default_value = "3s", value_parser = parse_duration)]
    answering: Duration,
    /// Bound of one attempt at a step.
    #[arg(id = "gift-attempt", long = "gift-attempt", env = "PERDURA_GIFT_ATTEMPT", default_value = "10s", value_parser = parse_duration)]
    attempt: Duration,
    /// Longest pause between two attempts.
    #[arg(id = "gift-retry-at-most", long = "gift-retry-at-most", env = "PERDURA_GIFT_RETRY_AT_MOST", default_value = "10s", value_parser = parse_duration)]
    retry_at_most: Duration,
    /// Wrong PINs in a row that lock an account, a supplier's number or a device.
    #[arg(id = "pin-tries", long = "pin-tries", env = "PERDURA_PIN_TRIES", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    tries: u16,
    /// How long the first lock lasts, the second and so on, separated by commas; the last for all that follow. A right
    /// PIN begins anew.
    #[arg(
        id = "pin-locks",
        long = "pin-locks",
        env = "PERDURA_PIN_LOCKS",
        value_delimiter = ',',
        default_value = "1m,5m,15m,1h,6h,24h",
        value_parser = parse_duration
    )]
    locks: Vec<Duration>,
    /// PINs that are looked at at once: each takes a whole processor, and the memory of a hash.
    #[arg(id = "pins-at-once", long = "pins-at-once", env = "PERDURA_PINS_AT_ONCE", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    at_once: u16,
    #[command(flatten)]
    pins: PinSettings,
}

impl GiftSettings {
    /// The policy of a redemption and of its undoing.
    pub(super) const fn policy(&self) -> GiftPolicy {
        GiftPolicy {
            void_window: self.void_window,
            first_update: self.first_update,
            bounds: StepBounds {
                attention: self.attention,
                answering: self.answering,
                attempt: self.attempt,
                retry_at_most: self.retry_at_most,
            },
        }
    }

    /// When wrong PINs lock, and for how long.
    pub(super) fn rules(&self) -> GuardRules {
        GuardRules { tries: u32::from(self.tries), locks: self.locks.clone(), stale_after: STALE_AFTER }
    }

    /// What PINs are judged with.
    pub(super) fn pins(&self) -> anyhow::Result<Pins> {
        Pins::new(PinHasher::new(&self.pins)?, self.at_once)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        settings: GiftSettings,
    }

    fn parse(arguments: &[&str]) -> Result<GiftSettings, clap::Error> {
        let arguments = ["test"].into_iter().chain(arguments.iter().copied());
        Settings::try_parse_from(arguments).map(|settings| settings.settings)
    }

    #[test]
    fn the_policy_is_what_is_set() {
        let policy = parse(&["--gift-void-window", "90s"]).unwrap().policy();
        assert_eq!((policy.void_window.as_secs(), policy.bounds.attempt.as_secs()), (90, 10));
    }

    #[test]
    fn a_lock_lasts_as_long_as_is_set() {
        let seconds = |settings: &GiftSettings| settings.locks.iter().map(Duration::as_secs).collect::<Vec<_>>();
        let settings = parse(&[]).unwrap();
        assert_eq!((settings.tries, seconds(&settings)), (5, vec![60, 300, 900, 3600, 21_600, 86_400]));
        assert_eq!(seconds(&parse(&["--pin-locks", "1s,2s"]).unwrap()), [1, 2]);
        for bad in [["--pin-locks", ""], ["--pin-locks", "1s,"], ["--pin-tries", "0"], ["--pins-at-once", "0"]] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn gifts_need_the_pepper() {
        let missing = parse(&[]).unwrap().pins().err().unwrap();
        assert!(format!("{missing:#}").contains("PERDURA_PIN_PEPPER_FILE"));
    }
}
