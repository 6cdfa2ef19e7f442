//! What operators are told: of each sale what its journal says, one of a kind within the window, and once.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, query_as};
use uuid::Uuid;

use super::super::{ALERT_WINDOW, FridgeSales};

const SALES: &str = "with fact as (
        select transaction_id, event_id, recorded_at,
               case jsonb_typeof(fact) when 'object' then (select min(kind) from jsonb_object_keys(fact) kind)
                    else fact #>> '{}' end as kind
        from event where transaction_id is not null
    )
    select t.transaction_id, t.machine_id,
           case when t.failure = '\"machine_busy\"' then 'busy' else t.status end as status,
           coalesce(array_agg(distinct kind) filter (where kind is not null), '{}') as facts,
           max(recorded_at) filter (where event_id = any($1) and kind = 'completed') as list_posted_at
    from transaction t left join fact on fact.transaction_id = t.transaction_id group by t.transaction_id";
const ALERTS: &str = "
    select kind, subject, text, asked_at, to_send, suppressed_before, sent_at, recorded_at, claimed_until
    from alert order by sequence";
/// Every kind, how its message is known, and the facts of which one gives reason for it. All prices add up here.
const KINDS: [(&str, &str, &[&str]); 6] = [
    (
        "request_error",
        "was not opened",
        &["request_refused", "unlock_refused", "unanswered", "interrupted", "cancelled"],
    ),
    ("door_left_open", "been open for", &["unlock_sent", "unlocked", "taken"]),
    ("door_still_open", "open after", &["unlock_sent", "unlocked", "taken"]),
    ("unresolved", "was missed: a person", &["vanished", "overdue", "cancelled", "request_refused", "unlock_refused"]),
    ("late_end", "whose end was missed is", &["completed", "cancelled"]),
    ("total_mismatch", "do not add up", &[]),
];
/// A claim lasts for 15 seconds. None follows it sooner, unless Slack was waited for in vain, for 10.
const CLAIMED_TWICE: Duration = Duration::from_secs(25);

#[derive(FromRow)]
struct Sale {
    transaction_id: Uuid,
    machine_id: String,
    status: String,
    facts: Vec<String>,
    list_posted_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct Alert {
    kind: String,
    subject: String,
    text: String,
    asked_at: DateTime<Utc>,
    to_send: bool,
    suppressed_before: i64,
    sent_at: Option<DateTime<Utc>>,
    recorded_at: DateTime<Utc>,
    claimed_until: Option<DateTime<Utc>>,
}

/// By transaction and kind: of each message, how many like it were kept back before.
type Shown = BTreeMap<(Option<Uuid>, &'static str), Vec<i64>>;

/// `posted` are the events that came over no websocket.
pub(super) async fn check(sales: &FridgeSales, posted: &[Uuid]) -> Vec<String> {
    let rows = query_as::<_, Sale>(SALES).bind(posted).fetch_all(&sales.database).await.expect("the sales");
    let alerts = query_as::<_, Alert>(ALERTS).fetch_all(&sales.database).await.expect("the alerts");
    let messages = sales.app.outside_effects("message", "").await;
    let texts: Vec<_> = messages.iter().filter_map(|message| message["detail"]["text"].as_str()).collect();
    broken(&rows, &alerts, &texts)
}

fn broken(sales: &[Sale], alerts: &[Alert], messages: &[&str]) -> Vec<String> {
    let (mut shown, mut of_sale) = (Shown::new(), BTreeMap::<_, Vec<&Alert>>::new());
    for message in messages {
        let kind = KINDS.into_iter().find(|(_, words, _)| message.contains(*words)).map_or("", |(kind, ..)| kind);
        shown.entry((about(message), kind)).or_default().push(kept_back(message));
    }
    for alert in alerts {
        of_sale.entry(about(&alert.text)).or_default().push(alert);
    }
    let mut sentences = throttled(alerts);
    for sale in sales {
        let told = of_sale.remove(&Some(sale.transaction_id)).unwrap_or_default();
        sentences.extend(sale.flaws(&told, &mut shown));
    }
    sentences.extend(of_sale.values().flatten().map(|alert| format!("there is no sale for {:?}", alert.text)));
    sentences.extend(shown.keys().map(|about| format!("operators were shown what is about no sale: {about:?}")));
    if alerts.iter().all(|alert| alert.sent_at.is_none()) {
        sentences.push("no alert is noted as told: this proves nothing".to_owned());
    }
    sentences
}

/// Within the window after one that is to be told the others are not, and the next one counts them.
fn throttled(alerts: &[Alert]) -> Vec<String> {
    let mut known = BTreeMap::<_, (Option<DateTime<Utc>>, i64)>::new();
    let mut sentences = Vec::new();
    for alert in alerts {
        let (last, kept) = known.entry((&alert.kind, &alert.subject)).or_default();
        let apart = last.map(|last| (alert.asked_at - last).to_std().unwrap_or_default());
        if alert.to_send != apart.is_none_or(|apart| apart >= ALERT_WINDOW) {
            sentences.push(format!("{:?} is to be told: {}, {apart:?} after another", alert.text, alert.to_send));
        }
        if alert.to_send && alert.suppressed_before < *kept {
            sentences.push(format!("{:?} does not count the {kept} before it", alert.text));
        }
        (*last, *kept) = if alert.to_send { (Some(alert.asked_at), 0) } else { (*last, *kept + 1) };
    }
    sentences
}

impl Sale {
    fn flaws(&self, told: &[&Alert], shown: &mut Shown) -> Vec<String> {
        let mut sentences = Vec::new();
        for (kind, _, reasons) in KINDS {
            let times = shown.remove(&(Some(self.transaction_id), kind)).unwrap_or_default();
            let alerts: Vec<_> = told.iter().filter(|alert| alert.kind == kind).collect();
            let is_due = self.due(told) == Some(kind);
            let flaw = match alerts.as_slice() {
                [] if is_due => Some("is not on record"),
                [] => (!times.is_empty()).then_some("was shown and is not on record"),
                [alert] if !self.gives(alert, reasons, told) => Some("has no reason"),
                [alert] => alert.flaw(&times, is_due),
                _ => Some("is on record more than once"),
            };
            let Self { transaction_id, status, .. } = self;
            sentences.extend(flaw.map(|flaw| format!("the alert {kind} of {transaction_id}, {status}, {flaw}")));
        }
        sentences
    }

    /// What a run tells operators until Slack takes it. Of a list that was posted after they heard that the end was missed,
    /// that is the run of the notification.
    fn due(&self, told: &[&Alert]) -> Option<&'static str> {
        let missed_at = told.iter().filter(|alert| alert.kind == "unresolved").filter_map(|alert| alert.sent_at).min();
        match self.status.as_str() {
            "unresolved" => Some("unresolved"),
            "failed" => Some("request_error"),
            _ => missed_at.is_some_and(|sent| Some(sent) < self.list_posted_at).then_some("late_end"),
        }
    }

    fn gives(&self, alert: &Alert, reasons: &[&str], told: &[&Alert]) -> bool {
        let is_reason = match alert.kind.as_str() {
            "request_error" => self.status != "busy",
            "late_end" => {
                let told_before = ["unresolved", "request_error"];
                self.status != "unresolved" && told.iter().any(|told| told_before.contains(&told.kind.as_str()))
            }
            _ => true,
        };
        let is_heard = self.facts.iter().any(|fact| reasons.contains(&fact.as_str()));
        is_reason && is_heard && alert.subject == self.machine_id
    }
}

impl Alert {
    /// What is noted as told was shown. What is not may have been, before the database died; and what is told by activities
    /// alone, which have an end, may never have been.
    fn flaw(&self, times: &[i64], is_due: bool) -> Option<&'static str> {
        let is_told_by_run = is_due || ["unresolved", "request_error"].contains(&self.kind.as_str());
        let claimed = self.claimed_until.map(|until| (until - self.recorded_at).to_std().unwrap_or_default());
        match times {
            [] => (self.sent_at.is_some() || (self.to_send && is_told_by_run)).then_some("was not shown"),
            _ if !self.to_send => Some("was shown, and is one of too many"),
            _ if times.iter().any(|before| *before != self.suppressed_before) => Some("was shown with another count"),
            [_] => None,
            _ => claimed.is_some_and(|claimed| claimed < CLAIMED_TWICE).then_some("was shown again under one claim"),
        }
    }
}

/// Alerts and messages name the transaction after all that they quote.
fn about(text: &str) -> Option<Uuid> {
    text.rsplit_once("Transaction ")?.1.get(..36)?.parse().ok()
}

fn kept_back(message: &str) -> i64 {
    let count = message.rsplit_once(" (and ").and_then(|(_, count)| count.strip_suffix(" like it before)"));
    count.and_then(|count| count.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn sale(id: u128, status: &str, facts: &[&str], list_posted_at: Option<i64>) -> Sale {
        Sale {
            transaction_id: Uuid::from_u128(id),
            machine_id: "FRIDGE-1".to_owned(),
            status: status.to_owned(),
            facts: facts.iter().map(|fact| (*fact).to_owned()).collect(),
            list_posted_at: list_posted_at.map(at),
        }
    }

    /// If it is to be told, it is, a second later.
    fn alert(id: u128, kind: &str, second: i64, to_send: bool) -> Alert {
        let (_, words, _) = KINDS.into_iter().find(|known| known.0 == kind).unwrap();
        Alert {
            kind: kind.to_owned(),
            subject: "FRIDGE-1".to_owned(),
            text: format!("It {words} it. Transaction {}", Uuid::from_u128(id)),
            asked_at: at(second),
            to_send,
            suppressed_before: 0,
            sent_at: to_send.then(|| at(second + 1)),
            recorded_at: at(second),
            claimed_until: to_send.then(|| at(second + 15)),
        }
    }

    /// Three ends were missed, the second just after the first, and of the third the list was posted. One sale was
    /// refused, and one came to a machine that was busy.
    fn found(break_it: impl FnOnce(&mut Vec<Sale>, &mut Vec<Alert>, &mut Vec<String>)) -> String {
        let mut sales = vec![
            sale(1, "unresolved", &["vanished"], None),
            sale(2, "unresolved", &["vanished"], None),
            sale(3, "completed", &["vanished", "completed"], Some(50)),
            sale(4, "failed", &["unanswered"], None),
            sale(5, "busy", &["request_refused"], None),
        ];
        let mut alerts = vec![
            alert(1, "unresolved", 0, true),
            alert(2, "unresolved", 5, false),
            Alert { suppressed_before: 1, ..alert(3, "unresolved", 40, true) },
            alert(3, "late_end", 51, true),
            alert(4, "request_error", 60, true),
        ];
        let mut messages: Vec<_> =
            alerts.iter().filter(|alert| alert.to_send).map(|alert| alert.text.clone()).collect();
        messages[1].push_str(" (and 1 like it before)");
        break_it(&mut sales, &mut alerts, &mut messages);
        let messages: Vec<_> = messages.iter().map(String::as_str).collect();
        broken(&sales, &alerts, &messages).join("; ")
    }

    #[test]
    fn what_deaths_may_leave_breaks_no_law() {
        assert_eq!(found(|_, _, _| ()), "");
        let not_noted = found(|_, alerts, _| alerts[0].sent_at = None);
        let told_again = found(|_, alerts, messages| {
            alerts[0].claimed_until = Some(at(30));
            messages.extend_from_within(..1);
        });
        let posted_before_it_was_told = found(|sales, alerts, messages| {
            sales[2].list_posted_at = Some(at(41));
            alerts.remove(3);
            messages.remove(2);
        });
        let listener_died = found(|sales, alerts, messages| {
            sales[2].list_posted_at = None;
            alerts[3].sent_at = None;
            messages.remove(2);
        });
        assert_eq!([not_noted, told_again, posted_before_it_was_told, listener_died], [""; 4]);
    }

    #[test]
    fn whatever_is_broken_is_found() {
        for (found, words) in [
            (found(|_, alerts, messages| drop((alerts.remove(4), messages.remove(3)))), "request_error"),
            (found(|_, alerts, messages| drop((alerts.remove(3), messages.remove(2)))), "is not on record"),
            (found(|_, alerts, _| drop(alerts.remove(2))), "was shown and is not on record"),
            (found(|_, alerts, _| alerts.push(alert(1, "unresolved", 99, true))), "on record more than once"),
            (found(|_, alerts, _| alerts.push(alert(5, "request_error", 99, true))), "has no reason"),
            (found(|_, alerts, _| alerts.push(alert(4, "late_end", 99, true))), "has no reason"),
            (found(|sales, _, _| sales[0].facts.clear()), "has no reason"),
            (found(|_, alerts, _| alerts[3].subject.clear()), "has no reason"),
            (found(|_, alerts, _| alerts[1].to_send = true), "is to be told: true"),
            (found(|_, alerts, _| alerts[4].to_send = false), "is to be told: false"),
            (found(|_, alerts, _| alerts[2].suppressed_before = 0), "does not count the 1"),
            (found(|_, _, messages| drop(messages.remove(0))), "was not shown"),
            (found(|_, _, messages| messages.extend_from_within(..1)), "under one claim"),
            (found(|_, alerts, messages| messages.push(alerts[1].text.clone())), "one of too many"),
            (found(|_, alerts, messages| messages[1].clone_from(&alerts[2].text)), "another count"),
            (found(|sales, _, _| drop(sales.remove(3))), "there is no sale"),
            (found(|_, _, messages| messages.push("hello".to_owned())), "about no sale"),
            (found(|_, alerts, _| alerts.iter_mut().for_each(|alert| alert.sent_at = None)), "proves nothing"),
        ] {
            assert!(found.contains(words), "{words:?} is not in {found:?}");
        }
    }
}
