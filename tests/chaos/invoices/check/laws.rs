//! What our own rows promise each other. Each query gives one sentence for each row that breaks its law.

use secrecy::SecretString;
use sqlx::query_scalar;
use store::postgres::Database;

use super::super::Invoices;
use crate::violation::Violation;

const LAWS: [&str; 9] = [
    // Never two invoices on one address, not even while it cools down.
    "select 'invoices ' || a.invoice_id || ' and ' || b.invoice_id || ' had one address at the same time'
     from address_assignment a join address_assignment b on a.address_id = b.address_id and a.invoice_id < b.invoice_id
     where tstzrange(a.assigned_at, coalesce(a.cooldown_until, 'infinity'))
        && tstzrange(b.assigned_at, coalesce(b.cooldown_until, 'infinity'))",
    // An address is taken as long as an invoice has it, and no longer.
    "select 'address ' || address || ' is free from ' || d.available_at || ' and its invoice has it until ' || taken.until
     from deposit_address d join
         (select address_id, max(coalesce(cooldown_until, 'infinity')) as until from address_assignment group by 1) taken
         using (address_id)
     where d.available_at <> taken.until",
    "select 'address ' || address || ' is taken and no invoice has it' from deposit_address d
     where available_at = 'infinity' and not exists (select from address_assignment a where a.address_id = d.address_id)",
    // The log has no gaps, and each entry begins where the one before ended.
    "select 'event ' || sequence || ' of invoice ' || invoice_id || ' goes from ' || coalesce(from_status::text, 'nothing')
        || ' after event ' || before || ', which ended in ' || coalesce(ended::text, 'nothing')
     from (select *, coalesce(lag(sequence) over one, 0) as before, lag(to_status) over one as ended from invoice_event
           window one as (partition by invoice_id order by sequence)) event
     where sequence <> before + 1 or from_status is distinct from ended",
    "select 'event ' || sequence || ' of invoice ' || invoice_id || ' goes from ' || from_status || ' to ' || to_status
     from invoice_event e where from_status <> to_status and not exists
         (select from invoice_status_edge g where g.from_status = e.from_status and g.to_status = e.to_status)",
    // The invoice is what its last event says.
    "select 'invoice ' || i.invoice_id || ' is not what its last event says'
     from invoice i left join lateral
         (select * from invoice_event e where e.invoice_id = i.invoice_id order by sequence desc limit 1) e on true
     where (i.version, i.status, i.exception, i.seen, i.confirmed, i.late, i.updated_at)
         is distinct from (e.sequence, e.to_status, e.exception, e.seen, e.confirmed, e.late, e.at)",
    "select 'invoice ' || invoice_id || ' became ' || to_status || ' ' || count(*) || ' times' from invoice_event
     where to_status in ('finished', 'cancelled') and from_status <> to_status
     group by invoice_id, to_status having count(*) > 1",
    "select 'a notice of invoice ' || invoice_id || ' is left over after ' || attempts || ' attempts' from deposit_notice",
    "select 'invoice ' || invoice_id || ' has no assignment of its address' from invoice i where not exists
         (select from address_assignment a where a.invoice_id = i.invoice_id and a.address_id = i.deposit_address_id)",
];

pub(super) async fn check(invoices: &Invoices) -> Vec<Violation> {
    let mut violations = Vec::new();
    for law in LAWS {
        let sentences: Vec<String> = query_scalar(law).fetch_all(&invoices.database).await.expect("a law");
        violations.extend(sentences.into_iter().map(Violation::new));
    }
    violations.extend(rebuilt(invoices).await);
    violations
}

/// Every invoice is what its events alone tell.
async fn rebuilt(invoices: &Invoices) -> Vec<Violation> {
    let url = SecretString::from(invoices.app.stack().database_url().to_owned());
    let database = Database::new(&url, 1, "perdura-tests").expect("a database");
    let audit = database.audit_invoices(None).await.expect("an audit");
    audit.flaws.iter().map(|(invoice_id, flaw)| Violation::new(format!("invoice {invoice_id}: {flaw}"))).collect()
}
