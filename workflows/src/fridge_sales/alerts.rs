//! What operators are told of a sale. Nothing personal is in it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    DoorStatus, Failure, SalePolicy, Standing,
    standing::{owed, reason},
    transaction_id,
};
use crate::contracts::alerts::{Alert, AlertKind};

/// Vendron: our token is not valid.
const INVALID_TOKEN: i64 = -2;
/// Vendron: our subscription has expired.
const SUBSCRIPTION_EXPIRED: i64 = -11;
const VENDRON: &str = "vendron";

/// Which sale an alert is about.
#[derive(Debug, Clone, Copy)]
pub struct AlertSubject<'a> {
    /// Its `ref`.
    pub sale_ref: Uuid,
    /// The machine, as the frontend names it.
    pub machine_id: &'a str,
}

impl Standing {
    /// What operators are told of a sale that stands so, if they were told before that it ended in another way.
    pub fn alerts_of_late_end(&self) -> Vec<AlertKind> {
        let ended = self.status.is_settled().then_some(AlertKind::LateEnd);
        let disputed = (self.status.is_settled() && self.is_disputed).then_some(AlertKind::TotalMismatch);
        ended.into_iter().chain(disputed).collect()
    }
}

impl AlertSubject<'_> {
    /// The alert of this kind about the sale, which stands at `standing`. It is the same alert whoever tells it, so that
    /// it is told once.
    pub fn alert(&self, kind: AlertKind, policy: &SalePolicy, standing: &Standing, now: DateTime<Utc>) -> Alert {
        Alert {
            alert_id: self.alert_id(kind),
            kind,
            subject: self.subject(kind, standing).to_owned(),
            text: self.text(kind, policy, standing),
            window: policy.alert_window,
            now,
        }
    }

    /// Under which an alert of this kind about the sale is recorded.
    pub fn alert_id(&self, kind: AlertKind) -> Uuid {
        Uuid::new_v5(&self.sale_ref, format!("alert/{}", kind.as_str()).as_bytes())
    }

    /// What the alert is about: for all machines at once, whoever speaks for them where Vendron does not take us at all.
    fn subject(&self, kind: AlertKind, standing: &Standing) -> &str {
        match &standing.failure {
            Some(_) if kind != AlertKind::RequestError => self.machine_id,
            Some(Failure::Refused { code: Some(INVALID_TOKEN | SUBSCRIPTION_EXPIRED), .. }) => VENDRON,
            _ => self.machine_id,
        }
    }

    fn text(&self, kind: AlertKind, policy: &SalePolicy, standing: &Standing) -> String {
        let machine = self.machine_id;
        let is_heard_of = standing.door != DoorStatus::Unknown;
        let said = match kind {
            AlertKind::RequestError => {
                format!("Machine {machine} was not opened: {}", reason(standing.failure.as_ref()))
            }
            AlertKind::DoorLeftOpen => {
                let been = if is_heard_of { "has been" } else { "may have been" };
                format!("The door of machine {machine} {been} open for {:?}", policy.door_alarm)
            }
            AlertKind::DoorStillOpen => {
                let is = if is_heard_of { "is still" } else { "may still be" };
                format!("The door of machine {machine} {is} open after {:?}", policy.door_escalation)
            }
            AlertKind::Unresolved => {
                format!("The end of a sale at machine {machine} was missed: a person has to find out what was taken")
            }
            AlertKind::LateEnd => {
                format!("A sale at machine {machine} whose end was missed is {}: {}", standing.status, owed(standing))
            }
            AlertKind::TotalMismatch => {
                let owed = owed(standing);
                format!("A sale at machine {machine} has prices that do not add up to Vendron's total: {owed}")
            }
        };
        format!("{said}. Transaction {}", transaction_id(self.sale_ref))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fridge_sales::{
        SaleStatus,
        samples::{input, money, standing},
    };

    const SUBJECT: AlertSubject<'_> = AlertSubject { sale_ref: Uuid::nil(), machine_id: "FRIDGE-1" };

    fn ended(status: SaleStatus, total: &str) -> Standing {
        Standing { total: Some(money(total)), ..standing(status) }
    }

    fn failed(message: &str) -> Standing {
        let failure = Some(Failure::Refused { code: None, message: message.to_owned() });
        Standing { failure, ..standing(SaleStatus::Failed) }
    }

    #[test]
    fn alerts_say_what_happened_where() {
        let open = standing(SaleStatus::Open);
        let unheard = Standing { door: DoorStatus::Unknown, ..open.clone() };
        let disputed = Standing { is_disputed: true, ..ended(SaleStatus::Completed, "4.70") };
        for (kind, standing, expected) in [
            (AlertKind::RequestError, failed("no"), "Machine FRIDGE-1 was not opened: no (no code)"),
            (AlertKind::DoorLeftOpen, open.clone(), "The door of machine FRIDGE-1 has been open for 60s"),
            (AlertKind::DoorLeftOpen, unheard, "The door of machine FRIDGE-1 may have been open for 60s"),
            (AlertKind::DoorStillOpen, open, "The door of machine FRIDGE-1 is still open after 1.5s"),
            (
                AlertKind::LateEnd,
                ended(SaleStatus::Empty, "0"),
                "A sale at machine FRIDGE-1 whose end was missed is empty: 0.00 EUR owed",
            ),
            (
                AlertKind::TotalMismatch,
                disputed,
                "A sale at machine FRIDGE-1 has prices that do not add up to Vendron's total: 4.70 EUR owed, disputed",
            ),
        ] {
            let transaction = transaction_id(Uuid::nil());
            let told = SUBJECT.alert(kind, &input().policy, &standing, DateTime::UNIX_EPOCH);
            assert_eq!(
                (told.text, told.subject),
                (format!("{expected}. Transaction {transaction}"), "FRIDGE-1".into())
            );
        }
    }

    #[test]
    fn a_late_end_is_told_once_it_settles_the_sale_and_what_is_disputed_is_told_too() {
        for (status, disputed, expected) in [
            (SaleStatus::Completed, false, &[AlertKind::LateEnd][..]),
            (SaleStatus::Completed, true, &[AlertKind::LateEnd, AlertKind::TotalMismatch]),
            (SaleStatus::Empty, false, &[AlertKind::LateEnd]),
            (SaleStatus::Unresolved, true, &[]),
            (SaleStatus::Failed, false, &[]),
        ] {
            let ended = Standing { is_disputed: disputed, ..standing(status) };
            assert_eq!(ended.alerts_of_late_end(), expected, "{status}");
        }
    }

    #[test]
    fn what_is_wrong_for_every_machine_is_one_subject() {
        for (code, subject) in [(-1, "FRIDGE-1"), (-2, "vendron"), (-3, "FRIDGE-1"), (-11, "vendron")] {
            let failure = Some(Failure::Refused { code: Some(code), message: String::new() });
            let standing = Standing { failure, ..standing(SaleStatus::Failed) };
            let told = SUBJECT.alert(AlertKind::RequestError, &input().policy, &standing, DateTime::UNIX_EPOCH);
            assert_eq!(told.subject, subject, "{code}");
        }
    }

    /// An alert is told once by its id: a release that computes another one would tell it again.
    #[test]
    fn alert_ids_never_change() {
        let sale_ref: Uuid = "3f2b8c1e-6d4a-5e7f-9a0b-1c2d3e4f5a6b".parse().unwrap();
        let subject = AlertSubject { sale_ref, machine_id: "" };
        let ids = [AlertKind::DoorLeftOpen, AlertKind::LateEnd].map(|kind| subject.alert_id(kind).to_string());
        assert_eq!(ids, ["52154d2c-a2c4-5419-8915-d4e3143ec4f0", "5847a740-87cd-5860-ac60-082e15aecf8e"]);
    }
}
