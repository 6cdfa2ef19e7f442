//! Mambu's API, version 2: loans, their transactions and their schedules.

mod decimal;
mod error;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDate};
use reqwest::{
    Client, RequestBuilder, Url,
    header::{ACCEPT, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub use decimal::Decimal;
pub use error::MambuError;
use wire::{AdjustmentBody, DisbursementBody, SearchBody};
pub use wire::{CurrencyCode, Installment, Keyed, LoanAccount, LoanSchedule, ScheduleSettings, Transaction};

use super::{
    NoAnswer,
    http::{self, Answer},
};

/// Without it a tenant answers in the shapes of version 1.
const VERSION_2: &str = "application/vnd.mambu.v2+json";
const API_KEY: &str = "apikey";
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How Mambu knows us.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// The key of an API consumer.
    ApiKey(SecretString),
    /// A user with API rights.
    Basic {
        /// Its name.
        user: String,
        /// Its password.
        password: SecretString,
    },
}

/// A disbursement to make.
#[derive(Debug, Clone)]
pub struct DisbursementOrder<'a> {
    /// Of which loan.
    pub loan_id: &'a str,
    /// Idempotency key. The same key needs the same order.
    pub key: Uuid,
    /// Ours, once in all of Mambu, for as long as it lives.
    pub external_id: &'a str,
    /// How much.
    pub amount: Decimal,
    /// When it takes effect, in the organisation's time.
    pub value_date: DateTime<FixedOffset>,
    /// When the first repayment is due, by the same offset.
    pub first_repayment_date: NaiveDate,
}

/// A client of Mambu.
#[derive(Debug, Clone)]
pub struct Mambu {
    client: Client,
    base: Url,
    credentials: Credentials,
    channel: Option<String>,
}

impl Mambu {
    /// A client of the tenant whose API is at `base`, that waits at most `time_out` for an answer.
    pub fn new(base: Url, credentials: Credentials, time_out: Duration) -> Result<Self, MambuError> {
        let client = http::client(time_out).map_err(MambuError::NoClient)?;
        if let Credentials::ApiKey(key) = &credentials {
            header(key)?;
        }
        Ok(Self { client, base, credentials, channel: None })
    }

    /// The channel that disbursements are booked on. Changing it while one is under way changes the body under its key.
    #[must_use]
    pub fn with_channel(self, channel: Option<String>) -> Self {
        Self { channel, ..self }
    }

    /// A loan, by its id or encoded key.
    pub async fn loan(&self, id: &str) -> Result<Option<LoanAccount>, MambuError> {
        let mut url = self.url(&["loans", id])?;
        url.query_pairs_mut().append_pair("detailsLevel", "FULL");
        found(self.ask("reading a loan", self.client.get(url)).await)
    }

    /// The keys of a client, by id or encoded key.
    pub async fn client(&self, id: &str) -> Result<Option<Keyed>, MambuError> {
        found(self.ask("reading a client", self.client.get(self.url(&["clients", id])?)).await)
    }

    /// The keys of a credit arrangement, by id or encoded key.
    pub async fn credit_arrangement(&self, id: &str) -> Result<Option<Keyed>, MambuError> {
        found(self.ask("reading a credit arrangement", self.client.get(self.url(&["creditarrangements", id])?)).await)
    }

    /// Disburses a loan. After a lost answer, look for the external id before this is asked again.
    pub async fn disburse(&self, order: &DisbursementOrder<'_>) -> Result<Transaction, MambuError> {
        let url = self.url(&["loans", order.loan_id, "disbursement-transactions"])?;
        let body = DisbursementBody::new(order, self.channel.as_deref());
        let request = self.client.post(url).header(IDEMPOTENCY_KEY, order.key.to_string()).json(&body);
        self.ask("disbursing a loan", request).await
    }

    /// Reverses a transaction. After a lost answer, read the transaction before this is asked again.
    pub async fn adjust(&self, transaction_id: &str, key: Uuid, notes: &str) -> Result<Transaction, MambuError> {
        let url = self.url(&["loans", "transactions", &format!("{transaction_id}:adjust")])?;
        let body = AdjustmentBody { notes };
        let request = self.client.post(url).header(IDEMPOTENCY_KEY, key.to_string()).json(&body);
        self.ask("adjusting a transaction", request).await
    }

    /// A transaction, by its id or encoded key.
    pub async fn transaction(&self, id: &str) -> Result<Option<Transaction>, MambuError> {
        let url = self.url(&["loans", "transactions", id])?;
        found(self.ask("reading a transaction", self.client.get(url)).await)
    }

    /// The transactions with an external id: at most one, if Mambu keeps its word.
    pub async fn transactions_with(&self, external_id: &str) -> Result<Vec<Transaction>, MambuError> {
        let url = self.url(&["loans", "transactions:search"])?;
        let request = self.client.post(url).json(&SearchBody::by_external_id(external_id));
        self.ask("searching for a transaction", request).await
    }

    /// The schedule of a loan, by the loan's id or encoded key.
    pub async fn schedule(&self, loan_id: &str) -> Result<LoanSchedule, MambuError> {
        let url = self.url(&["loans", loan_id, "schedule"])?;
        self.ask("reading a schedule", self.client.get(url)).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<T, MambuError> {
        let request = self.authorised(request)?.header(ACCEPT, VERSION_2);
        read(operation, &Answer::to(request).await.map_err(MambuError::unknown(operation))?)
    }

    fn authorised(&self, request: RequestBuilder) -> Result<RequestBuilder, MambuError> {
        Ok(match &self.credentials {
            Credentials::ApiKey(key) => request.header(API_KEY, header(key)?),
            Credentials::Basic { user, password } => request.basic_auth(user, Some(password.expose_secret())),
        })
    }

    fn url(&self, segments: &[&str]) -> Result<Url, MambuError> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| MambuError::BadUrl)?.pop_if_empty().extend(segments);
        Ok(url)
    }
}

fn header(key: &SecretString) -> Result<HeaderValue, MambuError> {
    let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| MambuError::BadCredentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What Mambu did, or why not. A success that cannot be read may well have happened.
fn read<T: DeserializeOwned>(operation: &'static str, answer: &Answer) -> Result<T, MambuError> {
    if answer.status.is_success() {
        return answer.json().map_err(MambuError::unknown(operation));
    }
    if answer.is_passing() {
        return Err(MambuError::unknown(operation)(NoAnswer::Status(answer.status)));
    }
    Err(MambuError::refusal(operation, answer.status, wire::reason(answer)))
}

/// Nothing of this id is an answer to a question.
fn found<T>(result: Result<T, MambuError>) -> Result<Option<T>, MambuError> {
    match result {
        Err(error) if error.is_absence() => Ok(None),
        other => other.map(Some),
    }
}
