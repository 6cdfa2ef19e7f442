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
                min(sequence) filter (where kind in ('completed', 'cancelled', 'vanished', 'unanswered', 'interrupted',
                    'request_refused', 'unlock_refused')) as ended
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

/// How many websockets each unresolved sale had until its end was missed. Afterwards somebody listens on another.
const MISSED: &str = r#"select t.sale_ref, count(distinct e.socket_id)
    from transaction t left join event e on e.transaction_id = t.transaction_id and e.sequence <= (
        select min(sequence) from event m
        where m.transaction_id = t.transaction_id and m.fact in ('"vanished"', '"cancelled"')
    )
    where t.status = 'unresolved' group by t.sale_ref"#;

pub(super) async fn check(sales: &FridgeSales, known: &BTreeMap<Uuid, Known>) -> Vec<String> {
    let mut sentences = Vec::new();
    for law in LAWS {
        sentences.extend(query_scalar::<_, String>(law).fetch_all(&sales.database).await.expect("a law"));
    }
    let missed: Vec<(Uuid, i64)> = query_as(MISSED).fetch_all(&sales.database).await.expect("the missed ends");
    // The end is missed when Vendron does not tell of it, or when nobody listens: by nothing else.
    let may_be_missed = |sale: &Uuid| known.get(sale).is_some_and(|known| known.course.may_miss_its_end());
    let unexplained = missed.into_iter().filter(|(sale, sockets)| *sockets < 2 && !may_be_missed(sale));
    sentences
        .extend(unexplained.map(|(sale, _)| format!("sale {sale} is unresolved, and its websocket was never lost")));
    sentences
}
