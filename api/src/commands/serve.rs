use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use axum::http::HeaderValue;
use clap::Args;
use humantime::parse_duration;
use secrecy::SecretString;
use store::{dynamodb::AwsSettings, postgres::Database};
use temporal::{Codec, TemporalSettings};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    auth::KeyCache,
    catalogue::Catalogue,
    engine::Engine,
    fridge_sales::{FridgeSales, SaleSettings},
    gifts::{GiftSettings, Gifts},
    invoices::InvoiceSettings,
    processes::{Process, ProcessSettings},
    purchase_codes::{PurchaseCodes, PurchaseSettings, Records, VoucherSettings},
    rate_limit::{RateLimits, RateSettings},
    router, secrets,
    server::{self, Bounds},
    state::Services,
    watch::Watch,
};

/// One listens, the other reads the versions of what was announced.
const WATCH_CONNECTIONS: u32 = 3;

/// Settings of the server. Each is a flag and an environment variable.
#[derive(Debug, Clone, Args)]
pub(super) struct Settings {
    /// URL of the Postgres database.
    #[arg(long, env = "PERDURA_DATABASE_URL", hide_env_values = true, value_name = "PERDURA_DATABASE_URL")]
    database_url: SecretString,
    /// Connections to Postgres.
    #[arg(long, env = "PERDURA_DATABASE_CONNECTIONS", default_value_t = 10)]
    database_connections: u32,
    /// Where the API is served.
    #[arg(long, env = "PERDURA_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    temporal: TemporalSettings,
    /// File with the key for fingerprints of requests: base64 of 32 bytes.
    #[arg(long, env = "PERDURA_FINGERPRINT_KEY_FILE", value_name = "PERDURA_FINGERPRINT_KEY_FILE")]
    fingerprint_key_file: PathBuf,
    /// File with the key for the tokens that show buyers their invoices: base64 of 32 bytes.
    #[arg(long, env = "PERDURA_VIEW_KEY_FILE", value_name = "PERDURA_VIEW_KEY_FILE")]
    view_key_file: PathBuf,
    /// File with the key for the tokens in the URLs that Vendron posts to: base64 of 32 bytes, the same as the workers'.
    /// Without it nothing is taken there.
    #[arg(long, env = "PERDURA_NOTIFICATION_KEY_FILE", value_name = "PERDURA_NOTIFICATION_KEY_FILE")]
    notification_key_file: Option<PathBuf>,
    /// File with the secrets that watchers sign with, one whsec_<base64 of 24 to 64 bytes> a line.
    #[arg(long, env = "PERDURA_WATCHER_SECRETS_FILE", value_name = "PERDURA_WATCHER_SECRETS_FILE")]
    watcher_secrets_file: PathBuf,
    /// Loopback address on which payloads are decoded for anyone, for a local Temporal UI.
    #[arg(long, env = "PERDURA_OPEN_CODEC_LISTEN")]
    open_codec_listen: Option<SocketAddr>,
    /// Origins under which Temporal's UI is opened, and may call the codec, with commas between them.
    #[arg(long = "ui-origin", env = "PERDURA_UI_ORIGIN", value_delimiter = ',')]
    ui_origins: Vec<HeaderValue>,
    /// How long a request waits for its process.
    #[arg(long, env = "PERDURA_DEADLINE", default_value = "5s", value_parser = parse_duration)]
    deadline: Duration,
    /// How many runs of one process are started at the same moment. Who comes then waits, and is asked to come again when
    /// half of his time is over.
    #[arg(long, env = "PERDURA_STARTS_AT_ONCE", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    starts_at_once: u32,
    /// How long the payment options are kept in memory.
    #[arg(long, env = "PERDURA_CATALOGUE_KEPT", default_value = "5s", value_parser = parse_duration)]
    catalogue_kept: Duration,
    #[command(flatten)]
    processes: ProcessSettings,
    #[command(flatten)]
    invoices: InvoiceSettings,
    #[command(flatten)]
    purchases: PurchaseSettings,
    #[command(flatten)]
    records: AwsSettings,
    #[command(flatten)]
    vouchers: VoucherSettings,
    #[command(flatten)]
    sales: SaleSettings,
    #[command(flatten)]
    gifts: GiftSettings,
    #[command(flatten)]
    rates: RateSettings,
    #[command(flatten)]
    bounds: Bounds,
}

/// Serves until SIGTERM or SIGINT. The port answers at once; Temporal and the database may come later.
pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    let services = Arc::new(services(&settings).await?);
    let (stop, stopping) = watch::channel(false);
    let mut servers = JoinSet::new();
    if let Some(address) = settings.open_codec_listen {
        ensure!(address.ip().is_loopback(), "PERDURA_OPEN_CODEC_LISTEN has to be a loopback address: {address} is not");
        let routes = router::open_codec(services.codec.clone(), &settings.ui_origins);
        servers.spawn(server::serve(listen(address).await?, routes, settings.bounds, stopping.clone()));
    }
    let watching = follow_changes(&services, &settings, stopping.clone())?;
    let routes = router::router(Arc::clone(&services), &settings.ui_origins);
    servers.spawn(server::serve(listen(settings.listen).await?, routes, settings.bounds, stopping));
    let connecting = tokio::spawn({
        let services = Arc::clone(&services);
        async move { services.engine.connect(&settings.temporal).await }
    });

    let sweeping = tokio::spawn({
        let services = Arc::clone(&services);
        async move { services.rate_limits.sweep().await }
    });

    program::stop_signal().await?;
    tracing::info!("api.stopping");
    stop.send_replace(true);
    while let Some(ended) = servers.join_next().await {
        ended.context("a server panicked")?;
    }
    connecting.abort();
    sweeping.abort();
    watching.abort();
    services.database.close().await;
    tracing::info!("api.stopped");
    Ok(())
}

/// Follows what is waited for, on connections of its own: those who wait are told however busy the others are.
fn follow_changes(
    services: &Arc<Services>,
    settings: &Settings,
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<JoinHandle<()>> {
    let database = Database::new(&settings.database_url, WATCH_CONNECTIONS, "perdura-api-watch")
        .context("PERDURA_DATABASE_URL cannot be used")?;
    let services = Arc::clone(services);
    Ok(tokio::spawn(async move { services.watch.run(&database, stopping).await }))
}

async fn services(settings: &Settings) -> anyhow::Result<Services> {
    let database = Database::new(&settings.database_url, settings.database_connections, "perdura-api")
        .context("PERDURA_DATABASE_URL cannot be used")?;
    let keys = settings.temporal.key_ring().context("PERDURA_CODEC_KEYS_FILE cannot be used")?;
    Ok(Services {
        engine: Engine::new(settings.deadline, settings.starts_at_once as usize),
        catalogue: Catalogue::new(database.clone(), settings.catalogue_kept),
        keys: KeyCache::new(database.clone()),
        database,
        codec: Codec::new(keys),
        fingerprint_key: secrets::fingerprint_key(&settings.fingerprint_key_file)?,
        view_key: secrets::view_key(&settings.view_key_file)?,
        watcher_secrets: secrets::watcher_secrets(&settings.watcher_secrets_file)?,
        invoices: settings.invoices.clone(),
        watch: Watch::new(),
        purchase_codes: purchase_codes(settings).await?,
        fridge_sales: fridge_sales(settings)?,
        gifts: gifts(settings)?,
        rate_limits: RateLimits::new(&settings.rates),
    })
}

async fn purchase_codes(settings: &Settings) -> anyhow::Result<Option<PurchaseCodes>> {
    let Some(records) = Records::connect(&settings.records, &settings.processes).await? else {
        return Ok(None);
    };
    PurchaseCodes::new(records, settings.purchases.clone(), &settings.vouchers).map(Some)
}

fn fridge_sales(settings: &Settings) -> anyhow::Result<Option<FridgeSales>> {
    if !settings.processes.has(Process::FridgeSales) {
        return Ok(None);
    }
    let notification_key = settings.notification_key_file.as_deref().map(secrets::notification_key).transpose()?;
    Ok(Some(FridgeSales::new(settings.sales.clone(), notification_key)))
}

fn gifts(settings: &Settings) -> anyhow::Result<Option<Gifts>> {
    settings.processes.has(Process::Gifts).then(|| Gifts::new(settings.gifts.clone())).transpose()
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "api.listening");
    Ok(listener)
}
