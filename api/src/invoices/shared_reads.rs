//! The events of an invoice, for those who were told of one.

use store::postgres::{Database, invoices::Invoice};

use super::timeline::TimelineItem;
use crate::{
    problem::Problem,
    watch::{Page, SharedReads, Told},
};

/// Events of a page.
const PAGE: i64 = 100;

/// Whether there may be more events after a page.
pub(super) fn goes_on(page: &[Told]) -> bool {
    i64::try_from(page.len()).is_ok_and(|events| events == PAGE)
}

impl SharedReads {
    /// The events of an invoice that come after `after`, of which there is one at least.
    pub(super) async fn next_events(
        &self,
        database: &Database,
        invoice: &Invoice,
        after: i64,
    ) -> Result<Page, Problem> {
        let read = async {
            let page = self.events(database, invoice, after).await?;
            let missing = || format!("the log of invoice {} ends at {after}, before its version", invoice.invoice_id);
            if page.is_empty() { Err(Problem::unforeseen(missing())) } else { Ok(page) }
        };
        self.invoice_events.share((invoice.invoice_id, after), read).await
    }

    /// The events of an invoice that come after `after`, if there are any. Never shared: where there are none now, there
    /// may be one in the next moment.
    pub(super) async fn events(&self, database: &Database, invoice: &Invoice, after: i64) -> Result<Page, Problem> {
        let place = self.place().await?;
        let events = database.list_invoice_events(invoice.invoice_id, after, PAGE).await?;
        drop(place);
        events.into_iter().map(|event| told(&TimelineItem::new(invoice, event))).collect()
    }
}

fn told(item: &TimelineItem) -> Result<Told, Problem> {
    let data = serde_json::to_string(item).map_err(Problem::unforeseen)?;
    Ok(Told { sequence: item.sequence, data })
}
