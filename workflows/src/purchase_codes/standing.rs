//! What operators see of a purchase: two search attributes, and five lines without code, password or personal data.

use chrono::SecondsFormat;

use super::{CodeStatus, CreditState, CreditSubstate, IssueReply, IssueResult, PurchaseRequest, records::Context};
use crate::attributes::{BUSINESS_STATUS, NEEDS_ATTENTION};

/// Where a purchase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The caller has no answer.
    Deciding,
    /// There is no code.
    Refused,
    /// The code is issued.
    Issued,
    /// The code is scanned.
    Used,
    /// The time to scan is over, the disbursement still stands.
    Expired,
    /// The disbursement is reversed.
    Reversed,
}

impl Standing {
    /// In the words of the sources; none without a code.
    const fn state(self) -> Option<(CodeStatus, CreditSubstate)> {
        match self {
            Self::Deciding | Self::Refused => None,
            Self::Issued => Some((CodeStatus::Generado, CreditSubstate::DisposicionAutorizada)),
            Self::Used => Some((CodeStatus::Usado, CreditSubstate::Desembolsado)),
            Self::Expired => Some((CodeStatus::Vencido, CreditSubstate::DisposicionAutorizada)),
            Self::Reversed => Some((CodeStatus::Vencido, CreditSubstate::DisposicionRevertida)),
        }
    }

    const fn next(self) -> &'static str {
        match self {
            Self::Deciding => "the loan and the one-time password are looked at",
            Self::Refused => "ends with its answer",
            Self::Issued => "waits for the scan of its code",
            Self::Used => "deletes the voucher of the scanned code",
            Self::Expired => "deletes the voucher, then reverses the disbursement",
            Self::Reversed => "deletes what was drawn too late",
        }
    }
}

/// Moves to `standing` and shows it.
pub(super) fn stand(ctx: &Context, standing: Standing) {
    ctx.state_mut(|purchase| purchase.standing = standing);
    show(ctx);
}

/// Tells operators what needs them.
pub(super) fn alert(ctx: &Context, alert: String) {
    ctx.state_mut(|purchase| purchase.alert = Some(alert));
    show(ctx);
}

/// Nothing needs operators any more.
pub(super) fn calm(ctx: &Context) {
    ctx.state_mut(|purchase| purchase.alert = None);
    show(ctx);
}

fn show(ctx: &Context) {
    let (standing, alert) = ctx.state(|purchase| (purchase.standing, purchase.alert.clone()));
    let shown = ctx.search_attributes();
    let mut updates = Vec::new();
    if let Some((status, _)) = standing.state()
        && shown.get(&BUSINESS_STATUS) != Some(status.to_string())
    {
        updates.push(BUSINESS_STATUS.value_set(status.to_string()));
    }
    if shown.get(&NEEDS_ATTENTION).unwrap_or_default() != alert.is_some() {
        updates.push(NEEDS_ATTENTION.value_set(alert.is_some()));
    }
    if !updates.is_empty() {
        ctx.upsert_search_attributes(updates);
    }
    let lines =
        ctx.state(|purchase| details(&purchase.input.request, purchase.issued.as_ref(), standing, alert.as_deref()));
    ctx.set_current_details(lines);
}

fn details(request: &PurchaseRequest, issued: Option<&IssueReply>, standing: Standing, alert: Option<&str>) -> String {
    let state = standing.state().map_or_else(
        || "no code".to_owned(),
        |(status, substate)| format!("{status}, credit {} / {}", CreditState::Activo.as_str(), substate.as_str()),
    );
    let answer = match issued.map(|reply| &reply.result) {
        None => "not answered".to_owned(),
        Some(IssueResult::Refused(refusal)) => format!("refused: {refusal:?}"),
        Some(IssueResult::Issued(purchase)) => {
            let until = purchase.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!("first payment {}, to be scanned until {until}", purchase.first_payment_date)
        }
    };
    let alert = alert.unwrap_or("nothing needs attention");
    let PurchaseRequest { amount, provider, .. } = request;
    format!("**{state}**\n\n{amount} at {provider}\n\n{answer}\n\n{}\n\n{alert}", standing.next())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, TimeDelta};
    use uuid::Uuid;

    use super::*;
    use crate::{
        domain::{Confidential, Currency, Money},
        purchase_codes::{LoanRefusal, Purchase, Refusal},
    };

    const CODE: &str = "7K3M9QX2VD4T8B5N1RWZ5";

    fn request() -> PurchaseRequest {
        PurchaseRequest {
            purchase_id: Uuid::nil(),
            frontend: "frontend:app".to_owned(),
            client_id: "client-of-ours".to_owned(),
            credit_line_id: "line-of-his".to_owned(),
            loan_account_id: "loan-of-his".to_owned(),
            provider: "P-1".to_owned(),
            amount: Money::parse("1250", Currency::parse("MXN").unwrap()).unwrap(),
            fingerprint: "print-of-body".to_owned(),
        }
    }

    fn purchase() -> Purchase {
        let request = request();
        Purchase {
            purchase_id: request.purchase_id,
            frontend: request.frontend,
            client_id: request.client_id,
            credit_line_id: request.credit_line_id,
            loan_account_id: request.loan_account_id,
            provider: request.provider,
            amount: request.amount,
            code: Confidential::new(CODE.to_owned()),
            status: CodeStatus::Generado,
            first_payment_date: NaiveDate::from_ymd_opt(2026, 6, 14).unwrap(),
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::hours(72),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            version: 1,
            fingerprint: request.fingerprint,
            cause: "issue".to_owned(),
            transaction_id: "174".to_owned(),
            image_url: None,
        }
    }

    fn reply(result: IssueResult) -> IssueReply {
        IssueReply { fingerprint: "print-of-body".to_owned(), result }
    }

    #[test]
    fn five_lines_tell_where_a_purchase_stands() {
        let issued = reply(IssueResult::Issued(Box::new(purchase())));
        let lines = details(&request(), Some(&issued), Standing::Expired, Some("the reversal is blocked: WHY"));
        let expected = "**VENCIDO, credit ACTIVO / DISPOSICION_AUTORIZADA**\n\n1250.00 MXN at P-1\n\n\
                        first payment 2026-06-14, to be scanned until 1970-01-04T00:00:00Z\n\n\
                        deletes the voucher, then reverses the disbursement\n\nthe reversal is blocked: WHY";
        assert_eq!(lines, expected);
        let refused = reply(IssueResult::Refused(Refusal::Loan(LoanRefusal::NotApproved)));
        let lines = details(&request(), Some(&refused), Standing::Refused, None);
        assert!(lines.contains("refused: Loan(NotApproved)"), "{lines}");
    }

    #[test]
    fn nothing_confidential_is_shown() {
        let issued = reply(IssueResult::Issued(Box::new(purchase())));
        for standing in [
            Standing::Deciding,
            Standing::Refused,
            Standing::Issued,
            Standing::Used,
            Standing::Expired,
            Standing::Reversed,
        ] {
            let lines = details(&request(), Some(&issued), standing, None);
            assert_eq!(lines.split("\n\n").count(), 5);
            for hidden in [CODE, "client-of-ours", "line-of-his", "loan-of-his", "print-of-body", "174"] {
                assert!(!lines.contains(hidden), "{hidden} in {lines}");
            }
        }
    }
}
