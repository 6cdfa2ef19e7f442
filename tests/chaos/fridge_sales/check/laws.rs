//! What our own rows promise each other. Each query gives one sentence for each row that breaks its law.

use std::collections::BTreeMap;

use sqlx::{query_as, query_scalar};
use uuid::Uuid;

use super::super::{FridgeSales, memory::Known};

const LAWS: [&str; 6] = [
    // A command is sent at most once: its intent is there once.
    "select 'sale ' || sale_ref || ' has ' || count(*) || ' intents of ' || name
     from event join transaction using (transaction_id)
     where direction = 'sent' and name in ('smart_fridge_request', 'smart_fridge_door_open')
     group by sale_ref, name having count(*) > 1",
    // Never two open sales on one machine: from the request of one to the fact that ends it, there is no other request.
    "with fact as (
         select transaction_id, sequence, direction, name,
                case jsonb_typeof(fact) when 'object' then (select min(kind) from jsonb_object_keys(fact) kind)
                     else fact #>> '{}' end as kind
         from event where transaction_id is not null
     ), sale as (
         select t.machine_id, t.sale_ref,
                min(sequence) filter (where direction = 'sent' and name = 'smart_fridge_request') as began,
                min(sequence) filter (where kind in ('completed', 'cancelled', 'vanished', 'overdue', 'unanswered',
                    'interrupted', 'request_refused', 'unlock_refused')) as ended
         from fact join transaction t using (transaction_id) group by 1, 2
     )
     select 'sales ' || a.sale_ref || ' and ' || b.sale_ref || ' had one machine at the same time'
     from sale a join sale b on a.machine_id = b.machine_id and a.began < b.began
     where coalesce(a.ended, 9223372036854775807) > b.began",
    // The list that came first is the one that counts.
    "select 'sale ' || sale_ref || ' is ' || status || ' with ' || products || ' after the list ' || list
     from (
         select distinct on (transaction_id) transaction_id, fact #> '{completed,products}' as list
         from event where fact ? 'completed' order by transaction_id, sequence
     ) heard join transaction using (transaction_id)
     where status not in ('completed', 'empty') or products <> list",
    // What is owed is what the list costs, where every price is known, which they are here.
    "select 'sale ' || sale_ref || ' owes ' || coalesce(due::text, 'nothing') || ' for ' || products from transaction
     where status in ('completed', 'empty') and due is distinct from (
         select coalesce(sum(unit_price * quantity), 0)
         from jsonb_to_recordset(products) as product (unit_price bigint, quantity bigint)
     )",
    "select 'sale ' || sale_ref || ' is disputed' from transaction where is_disputed",
    "select 'sale ' || sale_ref || ' is ' || status || ' while all is at rest' from transaction where ended_at is null",
];

/// How many websockets each unresolved sale had until its end was missed, and whether it was what was posted that made
/// it one. Afterwards somebody listens on another websocket.
const MISSED: &str = r#"select t.sale_ref, count(distinct e.socket_id) filter (where e.event_id <> all($1)),
        coalesce(m.event_id = any($1), false)
    from transaction t left join lateral (
        select event_id, sequence from event
        where transaction_id = t.transaction_id and fact in ('"vanished"', '"overdue"', '"cancelled"')
        order by sequence limit 1
    ) m on true
    left join event e on e.transaction_id = t.transaction_id and e.sequence <= m.sequence
    where t.status = 'unresolved' group by t.sale_ref, m.event_id"#;

/// `posted` are the events that came over no websocket.
pub(super) async fn check(sales: &FridgeSales, known: &BTreeMap<Uuid, Known>, posted: &[Uuid]) -> Vec<String> {
    let mut sentences = Vec::new();
    for law in LAWS {
        sentences.extend(query_scalar::<_, String>(law).fetch_all(&sales.database).await.expect("a law"));
    }
    let missed = query_as::<_, (Uuid, i64, bool)>(MISSED).bind(posted).fetch_all(&sales.database).await;
    // The end is missed when Vendron does not tell of it, or when nobody listens: by nothing else. What is posted may
    // come ahead of what was said before it.
    let may_be_missed = |sale: &Uuid, by_post: bool| {
        let course = known.get(sale).map(|known| known.course);
        course.is_some_and(|course| course.may_miss_its_end() || (by_post && course.may_be_posted_in_vain()))
    };
    for (sale, sockets, by_post) in missed.expect("the missed ends") {
        if sockets < 2 && !may_be_missed(&sale, by_post) {
            sentences.push(format!("sale {sale} is unresolved, and its websocket was never lost"));
        }
    }
    sentences
}
