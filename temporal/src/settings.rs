use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::Args;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, GrpcCompression, Url};

use crate::{Codec, KeyRing, KeyRingError, data_converter};

const CONNECT: Duration = Duration::from_secs(5);

/// Where Temporal is and what its payloads are sealed with.
#[derive(Debug, Clone, Args)]
pub struct TemporalSettings {
    /// Address of the Temporal frontend, host:port or a URL.
    #[arg(long, env = "TEMPORAL_ADDRESS", default_value = "127.0.0.1:7233")]
    temporal_address: String,
    /// Namespace of the workflows.
    #[arg(long, env = "TEMPORAL_NAMESPACE", default_value = "default")]
    temporal_namespace: String,
    /// File of payload keys, one `<key id>:<base64 of 32 bytes>` a line. The first seals, the others only open.
    #[arg(long, env = "PERDURA_CODEC_KEYS_FILE")]
    codec_keys_file: PathBuf,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be understood.
    #[error("\"{0}\" is no address of a Temporal frontend: write host:port")]
    Address(String),
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    /// The frontend does not answer.
    #[error("Temporal does not answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TemporalSettings {
    /// The keys that payloads are sealed with.
    pub fn key_ring(&self) -> Result<KeyRing, KeyRingError> {
        KeyRing::from_file(&self.codec_keys_file)
    }

    /// A connection of its own, with the codec in place.
    pub async fn connect(&self) -> Result<Client, ConnectError> {
        let converter = data_converter(Codec::new(self.key_ring()?));
        let target = self.target()?;
        let compression = if is_loopback(&target) { GrpcCompression::None } else { GrpcCompression::Gzip };
        let options = ConnectionOptions::new(target)
            .connect_timeout(CONNECT)
            .grpc_compression(compression)
            .identity(format!("perdura@{}", std::process::id()))
            .build();
        let connection = Connection::connect(options).await.map_err(|error| ConnectError::Unreachable(error.into()))?;
        let options = ClientOptions::new(self.temporal_namespace.clone()).data_converter(converter).build();
        Client::new(connection, options).map_err(|error| ConnectError::Unreachable(error.into()))
    }

    fn target(&self) -> Result<Url, ConnectError> {
        let address = &self.temporal_address;
        let url = if address.contains("://") { address.clone() } else { format!("http://{address}") };
        Url::parse(&url).ok().filter(Url::has_host).ok_or_else(|| ConnectError::Address(address.clone()))
    }
}

/// Compressing what never leaves the machine only costs time.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
