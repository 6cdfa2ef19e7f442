use std::{str::FromStr, time::Duration};

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use humantime::parse_duration;
use store::postgres::catalogue::PaymentOption;
use workflows::{StepBounds, domain::BaseUnits, invoices::InvoicePolicy};

/// Networks that can have settings of their own: a misspelled one is told at the start, when the catalogue may be away.
const NETWORKS: [&str; 3] = ["bitcoin", "ethereum", "tron"];

/// No tolerance is more than this, in basis points of the amount due: a tenth.
const LARGEST_TOLERANCE: u16 = 1000;

/// What a request may take on its way to the run that it starts.
const UNDERWAY: Duration = Duration::from_mins(1);

/// The policy of new invoices. Each keeps the one that it was created with.
#[derive(Debug, Clone, Args)]
pub(crate) struct InvoiceSettings {
    #[command(flatten)]
    usual: OnNetwork,
    /// What is different on a network, separated by commas, each written as network.setting=value. The settings are
    /// confirmation-window, partial-grace, monitoring, cool-down, tolerance and tolerance-bps.
    #[arg(
        long = "invoice-network",
        env = "PERDURA_INVOICE_NETWORKS",
        default_value = "bitcoin.confirmation-window=72h,bitcoin.partial-grace=1h"
    )]
    networks: Differences,
    /// Bound of the last look at the address service before a deadline acts.
    #[arg(long = "invoice-last-look", env = "PERDURA_INVOICE_LAST_LOOK", default_value = "10s", value_parser = parse_duration)]
    last_look: Duration,
    /// A run that nobody asks for its invoice ends after this.
    #[arg(long = "invoice-first-update", env = "PERDURA_INVOICE_FIRST_UPDATE", default_value = "1m", value_parser = parse_duration)]
    first_update: Duration,
    /// How long a creation may wait for an address.
    #[arg(long = "invoice-creation", env = "PERDURA_INVOICE_CREATION", default_value = "1h", value_parser = parse_duration)]
    creation: Duration,
    /// A step that fails for this long asks for a person's attention.
    #[arg(long = "invoice-attention", env = "PERDURA_INVOICE_ATTENTION", default_value = "1m", value_parser = parse_duration)]
    attention: Duration,
    /// Bound of a step on the database while a caller waits; shorter than the deadline of a request.
    #[arg(long = "invoice-answering", env = "PERDURA_INVOICE_ANSWERING", default_value = "3s", value_parser = parse_duration)]
    answering: Duration,
    /// Bound of one attempt at a step.
    #[arg(long = "invoice-attempt", env = "PERDURA_INVOICE_ATTEMPT", default_value = "10s", value_parser = parse_duration)]
    attempt: Duration,
    /// Longest pause between two attempts.
    #[arg(long = "invoice-retry-at-most", env = "PERDURA_INVOICE_RETRY_AT_MOST", default_value = "30s", value_parser = parse_duration)]
    retry_at_most: Duration,
    /// A stream of events ends by itself after this: whoever follows comes back with his key, which may have been revoked.
    #[arg(long = "invoice-stream", env = "PERDURA_INVOICE_STREAM", default_value = "15m", value_parser = parse_duration)]
    stream: Duration,
}

/// What may differ from network to network.
#[derive(Debug, Clone, Args)]
struct OnNetwork {
    /// How long after the deadline unconfirmed money that covers an invoice may still be confirmed.
    #[arg(long = "invoice-confirmation-window", env = "PERDURA_INVOICE_CONFIRMATION_WINDOW", default_value = "24h", value_parser = parse_duration)]
    confirmation_window: Duration,
    /// How long after the deadline a partial payment may still be completed.
    #[arg(long = "invoice-partial-grace", env = "PERDURA_INVOICE_PARTIAL_GRACE", default_value = "15m", value_parser = parse_duration)]
    partial_grace: Duration,
    /// How long the address stays watched and reserved after an invoice ended.
    #[arg(long = "invoice-monitoring", env = "PERDURA_INVOICE_MONITORING", default_value = "24h", value_parser = parse_duration)]
    monitoring: Duration,
    /// How long the address rests after that.
    #[arg(long = "invoice-cool-down", env = "PERDURA_INVOICE_COOL_DOWN", default_value = "24h", value_parser = parse_duration)]
    cool_down: Duration,
    /// How much less than the amount is still enough, in the coin's smallest unit; never more than a tenth of the amount.
    #[arg(long = "invoice-tolerance", env = "PERDURA_INVOICE_TOLERANCE", default_value = "0")]
    tolerance: BaseUnits,
    /// The same in basis points of the amount; of the two the larger one counts.
    #[arg(long = "invoice-tolerance-bps", env = "PERDURA_INVOICE_TOLERANCE_BPS", default_value = "0", value_parser = basis_points)]
    tolerance_bps: u16,
}

/// What is different on some networks.
#[derive(Debug, Clone)]
struct Differences(Vec<Difference>);

#[derive(Debug, Clone)]
struct Difference {
    network_id: String,
    setting: Setting,
}

#[derive(Debug, Clone)]
enum Setting {
    ConfirmationWindow(Duration),
    PartialGrace(Duration),
    Monitoring(Duration),
    CoolDown(Duration),
    Tolerance(BaseUnits),
    ToleranceBps(u16),
}

impl InvoiceSettings {
    /// The policy of an invoice over `amount` that is paid by `option`, with this time to pay.
    pub(crate) fn policy(&self, expires_in: Duration, option: &PaymentOption, amount: &BaseUnits) -> InvoicePolicy {
        let own = self.on(&option.network_id);
        InvoicePolicy {
            expires_in,
            confirmation_window: own.confirmation_window,
            partial_grace: own.partial_grace,
            monitoring: own.monitoring,
            cool_down: own.cool_down,
            confirmations: option.confirmations_for(amount),
            tolerance: own.tolerance_for(amount),
            last_look: self.last_look,
            first_update: self.first_update,
            creation: self.creation,
            bounds: StepBounds {
                attention: self.attention,
                answering: self.answering,
                attempt: self.attempt,
                retry_at_most: self.retry_at_most,
            },
        }
    }

    /// How long after it is asked for an invoice may still come into being: its run first waits to be asked, then for an
    /// address.
    pub(crate) const fn longest_creation(&self) -> Duration {
        self.creation.saturating_add(self.first_update).saturating_add(UNDERWAY)
    }

    /// How long a stream of events stays open.
    pub(super) const fn stream(&self) -> Duration {
        self.stream
    }

    fn on(&self, network_id: &str) -> OnNetwork {
        let mut settings = self.usual.clone();
        for difference in self.networks.0.iter().filter(|difference| difference.network_id == network_id) {
            settings.put(&difference.setting);
        }
        settings
    }
}

impl OnNetwork {
    fn put(&mut self, setting: &Setting) {
        match setting {
            Setting::ConfirmationWindow(window) => self.confirmation_window = *window,
            Setting::PartialGrace(grace) => self.partial_grace = *grace,
            Setting::Monitoring(monitoring) => self.monitoring = *monitoring,
            Setting::CoolDown(cool_down) => self.cool_down = *cool_down,
            Setting::Tolerance(tolerance) => self.tolerance = tolerance.clone(),
            Setting::ToleranceBps(points) => self.tolerance_bps = *points,
        }
    }

    fn tolerance_for(&self, due: &BaseUnits) -> BaseUnits {
        let larger = self.tolerance.clone().max(due.basis_points(self.tolerance_bps));
        larger.min(due.basis_points(LARGEST_TOLERANCE))
    }
}

impl FromStr for Differences {
    type Err = anyhow::Error;

    /// Reads the list; nothing at all is an empty one.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        // Whoever shows the error shows no more than its first line.
        let read =
            |item: &str| item.parse::<Difference>().map_err(|error| anyhow!("\"{item}\" cannot be used: {error:#}"));
        items.map(read).collect::<anyhow::Result<_>>().map(Self)
    }
}

impl FromStr for Difference {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = text.split_once('=').and_then(|(name, value)| Some((name.split_once('.')?, value)));
        let ((network_id, name), value) = parts.context("write network.setting=value")?;
        ensure!(NETWORKS.contains(&network_id), "the network is one of {}", NETWORKS.join(", "));
        let setting = match name {
            "confirmation-window" => Setting::ConfirmationWindow(parse_duration(value)?),
            "partial-grace" => Setting::PartialGrace(parse_duration(value)?),
            "monitoring" => Setting::Monitoring(parse_duration(value)?),
            "cool-down" => Setting::CoolDown(parse_duration(value)?),
            "tolerance" => Setting::Tolerance(value.parse()?),
            "tolerance-bps" => Setting::ToleranceBps(basis_points(value)?),
            _ => bail!(
                "the setting is one of confirmation-window, partial-grace, monitoring, cool-down, tolerance, tolerance-bps"
            ),
        };
        Ok(Self { network_id: network_id.to_owned(), setting })
    }
}

fn basis_points(text: &str) -> anyhow::Result<u16> {
    let points = text.parse::<u16>().ok().filter(|points| *points <= LARGEST_TOLERANCE);
    points.with_context(|| format!("write 0 to {LARGEST_TOLERANCE} basis points"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        invoices: InvoiceSettings,
    }

    fn parse(arguments: &[&str]) -> Result<InvoiceSettings, String> {
        let arguments = ["test"].into_iter().chain(arguments.iter().copied());
        Command::try_parse_from(arguments).map(|command| command.invoices).map_err(|error| error.to_string())
    }

    /// The policy of an invoice over 10,000 units.
    fn policy(network: &str, arguments: &[&str]) -> InvoicePolicy {
        let option = PaymentOption {
            coin_id: "coin".to_owned(),
            coin_name: "Coin".to_owned(),
            network_id: network.to_owned(),
            network_name: network.to_owned(),
            decimals: 8,
            contract: None,
            confirmations: 3,
            confirmation_tiers: Vec::new(),
            minimum: 1.into(),
            available: true,
        };
        parse(arguments).unwrap().policy(Duration::from_mins(15), &option, &10_000.into())
    }

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn bitcoin_has_more_time_than_the_others() {
        let (usual, bitcoin) = (policy("tron", &[]), policy("bitcoin", &[]));
        assert_eq!((usual.confirmation_window, usual.partial_grace), (HOUR * 24, HOUR / 4));
        assert_eq!((bitcoin.confirmation_window, bitcoin.partial_grace), (HOUR * 72, HOUR));
        assert_eq!((usual.monitoring, usual.cool_down), (bitcoin.monitoring, bitcoin.cool_down));
        assert_eq!((usual.confirmations, usual.tolerance), (3, BaseUnits::zero()));
    }

    #[test]
    fn an_invoice_may_come_as_long_as_its_run_may_make_it() {
        assert_eq!(parse(&[]).unwrap().longest_creation(), HOUR + Duration::from_mins(2));
        let patient = parse(&["--invoice-creation", "5h", "--invoice-first-update", "10m"]).unwrap();
        assert_eq!(patient.longest_creation(), HOUR * 5 + Duration::from_mins(11));
    }

    #[test]
    fn a_network_has_its_own_settings() {
        let own = "ethereum.confirmation-window=2h, ethereum.partial-grace=3h,ethereum.monitoring=4h,\
                   ethereum.cool-down=5h,ethereum.tolerance=7,ethereum.tolerance-bps=1";
        let arguments = ["--invoice-network", own, "--invoice-monitoring", "1h"];
        let ethereum = policy("ethereum", &arguments);
        assert_eq!((ethereum.confirmation_window, ethereum.partial_grace), (HOUR * 2, HOUR * 3));
        assert_eq!((ethereum.monitoring, ethereum.cool_down), (HOUR * 4, HOUR * 5));
        assert_eq!(ethereum.tolerance, 7.into());
        let bitcoin = policy("bitcoin", &arguments);
        assert_eq!((bitcoin.monitoring, bitcoin.partial_grace), (HOUR, HOUR / 4), "the default list is replaced");
        assert_eq!(policy("bitcoin", &["--invoice-network", ""]).partial_grace, HOUR / 4, "there may be none at all");
    }

    #[test]
    fn the_larger_tolerance_counts_up_to_a_tenth() {
        for (absolute, points, tolerance) in [
            ("0", "0", 0_u64),
            ("30", "0", 30),
            ("30", "50", 50),
            ("80", "50", 80),
            ("0", "1000", 1000),
            ("5000", "9", 1000),
        ] {
            let arguments = ["--invoice-tolerance", absolute, "--invoice-tolerance-bps", points];
            assert_eq!(policy("tron", &arguments).tolerance, tolerance.into(), "{absolute}, {points}");
        }
    }

    #[test]
    fn what_cannot_be_set_is_told() {
        for (own, why) in [
            ("bitcoin", "write network.setting=value"),
            ("bitcoin=1h", "write network.setting=value"),
            ("dogecoin.cool-down=1h", "the network is one of bitcoin, ethereum, tron"),
            ("bitcoin.windows=1h", "the setting is one of confirmation-window, partial-grace"),
            ("bitcoin.cool-down=soon", "\"bitcoin.cool-down=soon\" cannot be used"),
            ("bitcoin.tolerance=-1", "\"bitcoin.tolerance=-1\" cannot be used"),
            ("tron.monitoring=1h,tron.tolerance-bps=1001", "write 0 to 1000 basis points"),
        ] {
            let refused = parse(&["--invoice-network", own]).unwrap_err();
            assert!(refused.contains(why), "{own}: {refused}");
        }
        assert!(parse(&["--invoice-tolerance-bps", "1001"]).unwrap_err().contains("write 0 to 1000 basis points"));
    }

    #[test]
    fn every_network_of_the_catalogue_can_have_its_own_settings() {
        let catalogue = include_str!("../../../migrations/20261122060100_create_catalogue.sql");
        let (_, rows) = catalogue.split_once("insert into network").unwrap();
        let rows = rows.split_once(';').unwrap().0.split("\n    ('").skip(1);
        let networks: Vec<_> = rows.filter_map(|row| row.split('\'').next()).collect();
        assert_eq!(networks, NETWORKS);
    }
}
