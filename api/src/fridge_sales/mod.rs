//! Fridge sales over HTTP: one endpoint a file.

mod body;
mod check;
mod filter;
pub(crate) mod notify;
pub(crate) mod open;
mod path;
mod policy;
pub(crate) mod read;
mod refusal;
pub(crate) mod search;
pub(crate) mod status;
mod watched;

use axum::http::HeaderValue;
use store::{LinkKey, postgres::fridges::Machine};
use uuid::Uuid;

pub(crate) use policy::SaleSettings;

use crate::{
    problem::{Problem, kinds},
    queue::Queues,
    state::Services,
};

/// Questions to one machine at the same time. They share an answer, and Temporal takes ten of them in one run, from all
/// replicas.
const QUESTIONS: usize = 4;

/// What the routes of fridge sales need beside the rest.
pub(crate) struct FridgeSales {
    settings: SaleSettings,
    questions: Queues,
    /// For the tokens in the URLs that Vendron posts to; without one it posts nothing.
    notification_key: Option<LinkKey>,
}

impl FridgeSales {
    pub(crate) fn new(settings: SaleSettings, notification_key: Option<LinkKey>) -> Self {
        Self { settings, questions: Queues::new(QUESTIONS), notification_key }
    }
}

impl Services {
    /// What the routes of fridge sales need, where they are served.
    fn fridge_sales(&self) -> Result<&FridgeSales, Problem> {
        let sales = self.fridge_sales.as_ref();
        sales.ok_or_else(|| Problem::new(kinds::NOT_FOUND, "fridge sales are not served here"))
    }

    /// A machine that `frontend` owns. Another's is not there.
    async fn find_own_machine(&self, machine_id: &str, frontend: &str) -> Result<Machine, Problem> {
        let machine = self.database.find_machine(machine_id).await?;
        machine.filter(|machine| machine.owner == frontend).ok_or_else(|| Problem::not_found("machine"))
    }
}

/// The address of a transaction.
fn location(transaction_id: Uuid) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("/transactions/{transaction_id}")).map_err(Problem::unforeseen)
}
