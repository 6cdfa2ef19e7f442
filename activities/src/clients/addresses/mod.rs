//! The address service: makes deposit addresses and knows what their chains say.

mod error;
mod wire;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{Client, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use store::postgres::deposits::Observation;
use uuid::Uuid;

pub use error::AddressServiceError;
use wire::{AddressBody, AddressRequest, DepositsBody};

const CONNECT: Duration = Duration::from_secs(2);

/// A client of the address service.
#[derive(Debug, Clone)]
pub struct AddressService {
    client: Client,
    base: Url,
}

impl AddressService {
    /// A client of the service at `base` that waits at most `time_out` for an answer.
    pub fn new(base: Url, time_out: Duration) -> Result<Self, AddressServiceError> {
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(time_out)
            .user_agent("perdura")
            .build()
            .map_err(AddressServiceError::during("preparing the client"))?;
        Ok(Self { client, base })
    }

    /// Makes an address for a merchant on a network. The same key gives the same address.
    pub async fn create(&self, user_id: Uuid, network_id: &str, key: &str) -> Result<String, AddressServiceError> {
        let operation = "making an address";
        let response = self
            .client
            .post(self.url(&["addresses"])?)
            .header("Idempotency-Key", key)
            .json(&AddressRequest { user_id, network_id })
            .send()
            .await
            .map_err(AddressServiceError::during(operation))?;
        let body: AddressBody = read(operation, response).await?;
        Ok(body.address)
    }

    /// The latest state of every deposit to an address since a time.
    pub async fn deposits(
        &self,
        network_id: &str,
        address: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<Observation>, AddressServiceError> {
        let operation = "asking for deposits";
        let mut url = self.url(&["addresses", network_id, address, "deposits"])?;
        url.query_pairs_mut().append_pair("since", &since.to_rfc3339_opts(SecondsFormat::Millis, true));
        let response = self.client.get(url).send().await.map_err(AddressServiceError::during(operation))?;
        let body: DepositsBody = read(operation, response).await?;
        Ok(body.observations.into_iter().map(Observation::from).collect())
    }

    fn url(&self, segments: &[&str]) -> Result<Url, AddressServiceError> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| AddressServiceError::BadUrl)?.pop_if_empty().extend(segments);
        Ok(url)
    }
}

async fn read<T: DeserializeOwned>(operation: &'static str, response: Response) -> Result<T, AddressServiceError> {
    let status = response.status();
    if is_refusal(status) {
        return Err(AddressServiceError::Refused { operation, status });
    }
    if !status.is_success() {
        return Err(AddressServiceError::Unavailable { operation, status });
    }
    response.json().await.map_err(AddressServiceError::during(operation))
}

/// Time-outs and too many requests pass; every other word of the 400s stays.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}
