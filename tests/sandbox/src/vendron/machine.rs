//! A machine as Vendron knows it, with the sale that it has.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ask::Ask;
use super::opaque_id;
use super::sockets::SocketId;
use super::style::Style;
use crate::mambu::Amount;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) uid: String,
    pub(crate) is_online: bool,
    /// Somebody has it whose sale is none of ours.
    pub(crate) is_busy: bool,
    /// The code that every command is refused with.
    pub(crate) refuses_with: Option<i64>,
    pub(crate) reporting: Reporting,
    pub(crate) style: Style,
    /// The sale that runs, or else the last one.
    pub(crate) sale: Option<Sale>,
    /// How many sales began here.
    pub(crate) sales: u64,
    /// What waits for somebody to listen, oldest first.
    pub(crate) kept: Vec<String>,
}

/// What becomes of the events of a sale whose websocket is gone, and what is posted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Reporting {
    /// They go to a newer websocket that asked for the machine.
    pub(crate) resumes: bool,
    /// They wait until there is one.
    pub(crate) keeps_events: bool,
    /// The end of a sale is posted, whoever listens. States that were saved before it was known do not say it.
    #[serde(default)]
    pub(crate) notifies: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Door {
    Locked,
    Unlocked,
}

/// How a sale ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Completed,
    Cancelled,
    Failed,
    /// Nobody was told anything.
    Vanished,
}

/// What a client wants to be sold, and for whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) payment_name: String,
    pub(crate) currency: String,
    pub(crate) total_amount: String,
    pub(crate) payment_detail: String,
    /// Where its end is to be posted, empty where nowhere. States that were saved before it was kept do not have it.
    #[serde(default)]
    pub(crate) notification_url: String,
}

/// A product that was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Product {
    pub(crate) vpn: String,
    pub(crate) name: String,
    /// Told as it is written here; without one, none is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit_price: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sale {
    pub(crate) session: String,
    /// The client's.
    pub(crate) reference: String,
    pub(crate) order: Order,
    pub(crate) door: Door,
    pub(crate) taken: Vec<Product>,
    /// None while it runs.
    pub(crate) ending: Option<Ending>,
    /// The websocket that it was asked for on. A restart closes all of them.
    #[serde(skip)]
    pub(crate) owner: Option<SocketId>,
}

impl Machine {
    pub(crate) fn new(uid: &str) -> Self {
        Self {
            uid: uid.to_owned(),
            is_online: true,
            is_busy: false,
            refuses_with: None,
            reporting: Reporting { resumes: true, keeps_events: false, notifies: false },
            style: Style::default(),
            sale: None,
            sales: 0,
            kept: Vec::new(),
        }
    }

    pub(crate) fn running(&self) -> Option<&Sale> {
        self.sale.as_ref().filter(|sale| sale.is_running())
    }

    pub(super) fn running_mut(&mut self) -> Option<&mut Sale> {
        self.sale.as_mut().filter(|sale| sale.is_running())
    }

    pub(super) fn is_taken(&self) -> bool {
        self.is_busy || self.running().is_some()
    }

    /// Where the end of the sale that runs, or else of the last one, is to be posted.
    pub(crate) fn notification_url(&self) -> Option<&str> {
        let url = self.sale.as_ref().map(|sale| sale.order.notification_url.as_str());
        url.filter(|url| !url.is_empty())
    }

    /// Begins a sale; what was kept of the one before is nobody's any more.
    pub(super) fn begin(&mut self, order: Order, reference: &str, owner: SocketId) -> &Sale {
        self.sales += 1;
        self.kept.clear();
        self.sale.insert(Sale {
            session: opaque_id("session", &format!("{}/{}", self.uid, self.sales)),
            reference: reference.to_owned(),
            order,
            door: Door::Locked,
            taken: Vec::new(),
            ending: None,
            owner: Some(owner),
        })
    }
}

impl Sale {
    pub(crate) fn is_running(&self) -> bool {
        self.ending.is_none()
    }

    /// Of all prices that can be read.
    pub(super) fn total(&self) -> String {
        let prices = self.taken.iter().filter_map(|product| product.unit_price.as_deref()).filter_map(Amount::parse);
        prices.fold(Amount::ZERO, |sum, price| sum + price).to_string()
    }

    /// What the ledger says of everything that happens to the sale.
    pub(super) fn detail(&self, machine_uid: &str) -> Value {
        json!({ "machine_uid": machine_uid, "ref": self.reference, "session": self.session })
    }
}

impl Order {
    /// None where a parameter is missing, or is none that Vendron could take.
    pub(super) fn read(ask: &Ask) -> Option<Self> {
        let text = |field| ask.text(field).map(str::to_owned);
        let order = Self {
            payment_name: text("payment_name")?,
            currency: text("currency")?,
            total_amount: text("total_amount")?,
            payment_detail: text("payment_detail")?,
            // It may be left empty, but not out.
            notification_url: ask.any_text("notification_url")?.to_owned(),
        };
        let is_plain = Amount::parse(&order.total_amount).is_some();
        let is_currency = order.currency.len() == 3 && order.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_plain && is_currency).then_some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendron::samples::{self, Client};

    #[test]
    fn a_state_that_was_saved_without_notifications_has_none() {
        let sandbox = samples::sandbox();
        Client::connect(&sandbox).begin_notified_at("http://192.0.2.1/end");
        samples::change(&sandbox, |machine| machine.reporting.notifies = true);
        let mut saved = json!(samples::machine(&sandbox));
        let read = |saved: &Value| serde_json::from_value::<Machine>(saved.clone()).unwrap();
        let same = read(&saved);
        assert_eq!((same.reporting.notifies, same.notification_url()), (true, Some("http://192.0.2.1/end")));

        saved["reporting"].as_object_mut().unwrap().remove("notifies");
        saved["sale"]["order"].as_object_mut().unwrap().remove("notification_url");
        let older = read(&saved);
        assert_eq!((older.reporting.notifies, older.notification_url()), (false, None));
    }
}
