//! Whether every invoice is what its log says.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Invoice, LoggedEvent, log::logs_of, read::Row, rebuild};
use crate::postgres::{Database, StoreError};

const AUDITING: &str = "auditing invoices";
/// Invoices that are read at a time.
const PAGE: i64 = 200;

/// What an audit came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many invoices were looked at.
    pub invoices: u64,
    /// Which of them are not what their log says, and why.
    pub flaws: Vec<(Uuid, String)>,
}

impl Database {
    /// Rebuilds every invoice, or those of one merchant, from its log and compares it with its row.
    pub async fn audit_invoices(&self, merchant: Option<Uuid>) -> Result<Audit, StoreError> {
        let (mut audit, mut after) = (Audit::default(), None);
        loop {
            let page = self.audit_page(merchant, after).await?;
            let Some((last, _)) = page.last() else {
                return Ok(audit);
            };
            after = Some(last.invoice_id);
            for (invoice, log) in page {
                audit.invoices += 1;
                audit.flaws.extend(flaw(&invoice, &log).map(|flaw| (invoice.invoice_id, flaw)));
            }
        }
    }

    /// Some invoices in the order of their ids with their logs, both as of one moment.
    async fn audit_page(
        &self,
        merchant: Option<Uuid>,
        after: Option<Uuid>,
    ) -> Result<Vec<(Invoice, Vec<LoggedEvent>)>, StoreError> {
        let failed = StoreError::during(AUDITING);
        let begin = "begin isolation level repeatable read read only";
        let mut transaction = self.transaction_with(begin).await.map_err(&failed)?;
        let invoices = invoices(&mut transaction, merchant, after).await?;
        let ids: Vec<_> = invoices.iter().map(|invoice| invoice.invoice_id).collect();
        let mut logs: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (invoice_id, event) in logs_of(&mut *transaction, &ids).await? {
            logs.entry(invoice_id).or_default().push(event);
        }
        transaction.commit().await.map_err(&failed)?;
        let with_log = |invoice: Invoice| {
            let log = logs.remove(&invoice.invoice_id).unwrap_or_default();
            (invoice, log)
        };
        Ok(invoices.into_iter().map(with_log).collect())
    }
}

async fn invoices(
    connection: &mut PgConnection,
    merchant: Option<Uuid>,
    after: Option<Uuid>,
) -> Result<Vec<Invoice>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select i.invoice_id, i.merchant_id, i.coin_id, i.network_id, a.address as deposit_address, i.amount,
                  i.decimals, i.contract, i.title, i.description, i.checkout_url, i.external_id,
                  i.status::text as "status!", i.exception, i.seen, i.confirmed, i.late, i.version, i.fingerprint,
                  i.form_id, i.created_at, i.updated_at, i.expires_at, i.late_accepted_at
           from invoice i join deposit_address a on a.address_id = i.deposit_address_id
           where ($1::uuid is null or i.merchant_id = $1) and ($2::uuid is null or i.invoice_id > $2)
           order by i.invoice_id limit $3"#,
        merchant,
        after,
        PAGE,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::during(AUDITING))?;
    rows.into_iter().map(Invoice::try_from).collect()
}

fn flaw(invoice: &Invoice, log: &[LoggedEvent]) -> Option<String> {
    let rebuilt = match rebuild(log) {
        Ok(rebuilt) => Invoice { fingerprint: invoice.fingerprint.clone(), ..rebuilt },
        Err(flaw) => return Some(flaw.to_string()),
    };
    (rebuilt != *invoice).then(|| format!("its log tells another {}", differences(&rebuilt, invoice).join(", ")))
}

/// The fields in which two invoices differ.
fn differences(one: &Invoice, other: &Invoice) -> Vec<&'static str> {
    let fields = [
        ("invoice_id", one.invoice_id == other.invoice_id),
        ("merchant_id", one.merchant_id == other.merchant_id),
        ("coin_id", one.coin_id == other.coin_id),
        ("network_id", one.network_id == other.network_id),
        ("deposit_address", one.deposit_address == other.deposit_address),
        ("amount", one.amount == other.amount),
        ("decimals", one.decimals == other.decimals),
        ("contract", one.contract == other.contract),
        ("title", one.title == other.title),
        ("description", one.description == other.description),
        ("checkout_url", one.checkout_url == other.checkout_url),
        ("external_id", one.external_id == other.external_id),
        ("status", one.status == other.status),
        ("exception", one.exception == other.exception),
        ("seen", one.seen == other.seen),
        ("confirmed", one.confirmed == other.confirmed),
        ("late", one.late == other.late),
        ("version", one.version == other.version),
        ("form_id", one.form_id == other.form_id),
        ("created_at", one.created_at == other.created_at),
        ("updated_at", one.updated_at == other.updated_at),
        ("expires_at", one.expires_at == other.expires_at),
        ("late_accepted_at", one.late_accepted_at == other.late_accepted_at),
    ];
    fields.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}
