//! An invoice from its log alone.

use serde::Deserialize;
use workflows::invoices::{EDGES, InvoiceStatus};

use super::{ACCEPTED_LATE, Invoice, LoggedEvent, beginning::Beginning};

/// Why a log does not tell what became of its invoice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebuildFlaw {
    /// Nothing was logged.
    #[error("there are no events")]
    Empty,
    /// The first event has no evidence of what was created.
    #[error("the first event does not tell how the invoice began")]
    NoBeginning,
    /// The numbers do not count from one without a gap.
    #[error("event {0} is missing")]
    Missing(i64),
    /// An event begins elsewhere than the one before ended.
    #[error("event {0} does not begin where the one before ended")]
    Disconnected(i64),
    /// A change of status that may not happen.
    #[error("event {sequence} goes from {} to {to}", .from.map_or("nothing", InvoiceStatus::as_str))]
    NoSuchEdge {
        /// Number of the event.
        sequence: i64,
        /// Status until then.
        from: Option<InvoiceStatus>,
        /// Status from then on.
        to: InvoiceStatus,
    },
    /// An event happened before the one before.
    #[error("event {0} is earlier than the one before")]
    Earlier(i64),
}

/// The invoice that `log`, the whole of it, tells of: its stored row, but for the fingerprint.
pub fn rebuild(log: &[LoggedEvent]) -> Result<Invoice, RebuildFlaw> {
    let (Some(first), Some(last)) = (log.first(), log.last()) else {
        return Err(RebuildFlaw::Empty);
    };
    let mut before = None;
    for event in log {
        follow(before, event)?;
        before = Some(event);
    }
    let accepted = log.iter().rfind(|event| event.cause.starts_with(ACCEPTED_LATE));
    let begun = beginning(first)?;
    Ok(Invoice {
        invoice_id: begun.invoice_id,
        merchant_id: begun.merchant_id,
        coin_id: begun.coin_id,
        network_id: begun.network_id,
        deposit_address: begun.deposit_address,
        amount: begun.amount,
        decimals: begun.decimals,
        contract: begun.contract,
        title: begun.title,
        description: begun.description,
        checkout_url: begun.checkout_url,
        external_id: begun.external_id,
        status: last.to,
        exception: last.exception,
        seen: last.seen.clone(),
        confirmed: last.confirmed.clone(),
        late: last.late.clone(),
        version: last.sequence,
        fingerprint: String::new(),
        form_id: begun.form_id,
        created_at: begun.created_at,
        updated_at: last.at,
        expires_at: begun.expires_at,
        late_accepted_at: accepted.map(|event| event.at),
    })
}

fn beginning(first: &LoggedEvent) -> Result<Beginning, RebuildFlaw> {
    let told = first.evidence.get("invoice").ok_or(RebuildFlaw::NoBeginning)?;
    Beginning::deserialize(told).map_err(|_| RebuildFlaw::NoBeginning)
}

fn follow(before: Option<&LoggedEvent>, event: &LoggedEvent) -> Result<(), RebuildFlaw> {
    let LoggedEvent { sequence, from, to, .. } = *event;
    let expected = before.map_or(1, |before| before.sequence + 1);
    if sequence != expected {
        return Err(RebuildFlaw::Missing(expected));
    }
    if from != before.map(|before| before.to) {
        return Err(RebuildFlaw::Disconnected(sequence));
    }
    let exists = match from {
        None => to == InvoiceStatus::WaitingForDeposit,
        Some(from) => from == to || EDGES.contains(&(from, to)),
    };
    if !exists {
        return Err(RebuildFlaw::NoSuchEdge { sequence, from, to });
    }
    if before.is_some_and(|before| event.at < before.at) {
        return Err(RebuildFlaw::Earlier(sequence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;
    use workflows::{domain::BaseUnits, invoices::InvoiceException};

    use super::*;

    fn begun() -> Beginning {
        Beginning {
            invoice_id: Uuid::from_u128(1),
            merchant_id: Uuid::from_u128(2),
            form_id: Some(Uuid::from_u128(3)),
            coin_id: "usdt".to_owned(),
            network_id: "tron".to_owned(),
            contract: None,
            amount: "9".repeat(78).parse().unwrap(),
            decimals: 6,
            deposit_address: "TX".to_owned(),
            title: "a \"title\"".to_owned(),
            description: String::new(),
            checkout_url: String::new(),
            external_id: Some("order".to_owned()),
            created_at: at(0),
            expires_at: at(900),
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn opened() -> LoggedEvent {
        LoggedEvent {
            sequence: 1,
            at: at(0),
            from: None,
            to: InvoiceStatus::WaitingForDeposit,
            exception: InvoiceException::None,
            seen: BaseUnits::zero(),
            confirmed: BaseUnits::zero(),
            late: BaseUnits::zero(),
            cause: "open".to_owned(),
            actor: "merchant:1".to_owned(),
            evidence: json!({ "invoice": begun() }),
        }
    }

    /// One step along an edge, or a change of the sums alone, some seconds later.
    fn after(before: &LoggedEvent, (choice, seconds, seen): (usize, i64, u64)) -> LoggedEvent {
        let edges = EDGES.iter().filter(|(from, _)| *from == before.to).map(|(_, to)| *to);
        let ways: Vec<_> = edges.chain([before.to]).collect();
        LoggedEvent {
            sequence: before.sequence + 1,
            at: before.at + TimeDelta::seconds(seconds),
            from: Some(before.to),
            to: ways[choice % ways.len()],
            seen: seen.into(),
            cause: if choice.is_multiple_of(5) { "accept-late/1".to_owned() } else { "deposits/1".to_owned() },
            evidence: json!({}),
            ..before.clone()
        }
    }

    fn any_log() -> impl Strategy<Value = Vec<LoggedEvent>> {
        prop::collection::vec((0..60_usize, 0..60_i64, 0..9_u64), 1..12).prop_map(|steps| {
            let mut log = vec![opened()];
            for step in steps {
                log.push(after(&log[log.len() - 1], step));
            }
            log
        })
    }

    proptest! {
        #[test]
        fn an_invoice_is_what_its_log_says(log in any_log()) {
            let (invoice, last) = (rebuild(&log).unwrap(), &log[log.len() - 1]);
            prop_assert_eq!(invoice.amount, begun().amount);
            prop_assert_eq!((invoice.created_at, invoice.expires_at), (at(0), at(900)));
            prop_assert_eq!((invoice.status, invoice.seen, invoice.version), (last.to, last.seen.clone(), last.sequence));
            let accepted = log.iter().filter(|event| event.cause.starts_with("accept-late/")).map(|event| event.at).max();
            prop_assert_eq!((invoice.updated_at, invoice.late_accepted_at), (last.at, accepted));
        }

        #[test]
        fn an_event_that_is_missing_or_twice_there_is_a_flaw(log in any_log(), index in any::<prop::sample::Index>()) {
            let index = index.index(log.len() - 1);
            let (mut missing, mut twice) = (log.clone(), log.clone());
            let gone = missing.remove(index);
            twice.insert(index, gone.clone());
            prop_assert_eq!(rebuild(&missing), Err(RebuildFlaw::Missing(gone.sequence)));
            prop_assert_eq!(rebuild(&twice), Err(RebuildFlaw::Missing(gone.sequence + 1)));
        }

        #[test]
        fn an_event_out_of_place_is_a_flaw(log in any_log(), index in any::<prop::sample::Index>()) {
            let index = 1 + index.index(log.len() - 1);
            let sequence = log[index].sequence;
            let mut disconnected = log.clone();
            disconnected[index].from = InvoiceStatus::ALL.into_iter().find(|status| *status != log[index - 1].to);
            prop_assert_eq!(rebuild(&disconnected), Err(RebuildFlaw::Disconnected(sequence)));
            let mut earlier = log.clone();
            earlier[index].at = log[index - 1].at - TimeDelta::milliseconds(1);
            prop_assert_eq!(rebuild(&earlier), Err(RebuildFlaw::Earlier(sequence)));
        }
    }

    #[test]
    fn a_change_that_may_not_happen_is_a_flaw() {
        let first = opened();
        let finished = LoggedEvent { to: InvoiceStatus::Finished, ..after(&first, (0, 1, 0)) };
        let flaw = rebuild(&[first, finished]).unwrap_err();
        assert_eq!(flaw.to_string(), "event 2 goes from waiting_for_deposit to finished");
        let flaw = rebuild(&[LoggedEvent { to: InvoiceStatus::Expired, ..opened() }]).unwrap_err();
        assert_eq!(flaw.to_string(), "event 1 goes from nothing to expired");
    }

    #[test]
    fn a_log_without_a_beginning_is_a_flaw() {
        assert_eq!(rebuild(&[]), Err(RebuildFlaw::Empty));
        for evidence in [json!({}), json!({ "invoice": {} }), json!({ "invoice": null })] {
            assert_eq!(rebuild(&[LoggedEvent { evidence, ..opened() }]), Err(RebuildFlaw::NoBeginning));
        }
    }
}
