//! The purchase's steps: each names its activity, its cause and its bounds.

use std::time::Duration;

use temporalio_workflow::{ActivityExecutionError, WorkflowContext, WorkflowResult};
use uuid::Uuid;

use super::{
    IssueReply, LoanRefusal, PurchaseCodeWorkflow, PurchaseInput, PurchaseRequest, Refusal, UseReply, UseRequest,
    standing::{alert, calm},
    transition::{self, DisbursementTerms},
};
use crate::{
    contracts::{
        core_banking::{CoreBanking, Disburse, DisburseResult, Disbursement, Loan, ReadLoan, Reverse, ReverseResult},
        identity::{Identity, OtpResult, ValidateOtp},
        purchase_records::{
            Begin, BeginResult, DeleteImage, Expire, ExpireResult, NoteReversal, PurchaseRecords, Refuse, Scan, Store,
        },
    },
    steps::{self, StepBounds},
};

pub(super) type Context = WorkflowContext<PurchaseCodeWorkflow>;

/// Claims the loan.
pub(super) async fn begin(ctx: &Context) -> WorkflowResult<BeginResult> {
    let begin = Begin { request: input(ctx).request, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || PurchaseRecords::begin, begin, bounds(ctx), "claim the loan").await?)
}

/// Whether this purchase was begun, by a task that is lost or by an earlier run.
pub(super) async fn has_begun(ctx: &Context) -> WorkflowResult<bool> {
    let asking = || PurchaseRecords::has_begun;
    Ok(steps::on_our_store(ctx, asking, purchase_id(ctx), bounds(ctx), "look whether it was begun").await?)
}

/// Keeps the refusal and frees the loan.
pub(super) async fn refuse(ctx: &Context, refusal: Refusal) -> WorkflowResult<IssueReply> {
    let refuse = Refuse { request: input(ctx).request, refusal, now: steps::now(ctx) };
    Ok(steps::on_our_store(ctx, || PurchaseRecords::refuse, refuse, bounds(ctx), "keep the refusal").await?)
}

/// Reads the loan, and holds it against the request.
pub(super) async fn read_loan(ctx: &Context) -> Result<Loan, Refusal> {
    let (read, patience) = (reading(ctx, None), input(ctx).policy.patience);
    let call = steps::call(patience, bounds(ctx), "read the loan");
    let Ok(loan) = ctx.execute_activity(CoreBanking::read_loan, read, call).await else {
        return Err(Refusal::Unanswered);
    };
    fitting(ctx, loan)
}

/// The same of a loan that an earlier run of this purchase may have disbursed. Only Mambu says whether it did, however long
/// that takes.
pub(super) async fn read_tried_loan(ctx: &Context) -> Result<Loan, Refusal> {
    let read = reading(ctx, Some(purchase_id(ctx)));
    let label = "read the loan that may be disbursed";
    let asking = || steps::until_answered(ctx, CoreBanking::read_loan, read.clone(), bounds(ctx), label);
    let loan = surely(ctx, asking).await;
    calm(ctx);
    fitting(ctx, loan)
}

fn reading(ctx: &Context, tried_for: Option<Uuid>) -> ReadLoan {
    let PurchaseRequest { loan_account_id, client_id, credit_line_id, .. } = input(ctx).request;
    ReadLoan { loan_account_id, client_id, credit_line_id, tried_for }
}

fn fitting(ctx: &Context, loan: Option<Loan>) -> Result<Loan, Refusal> {
    transition::check_loan(&input(ctx).request, loan.as_ref()).map_err(Refusal::Loan)?;
    loan.ok_or(Refusal::Loan(LoanRefusal::NotTheClients))
}

/// Day and first payment of the disbursement, fixed now: every later attempt sends the same.
pub(super) fn terms(ctx: &Context, loan: &Loan) -> Result<DisbursementTerms, Refusal> {
    let offset = input(ctx).policy.offset();
    transition::disbursement_terms(&loan.schedule, steps::now(ctx), offset).map_err(|_no_date| Refusal::Schedule)
}

/// Spends the one-time password, which is gone after this. The update that brought it may be lost.
pub(super) async fn spend_otp(ctx: &Context) -> Result<(), Refusal> {
    let Some(otp) = ctx.state_mut(|purchase| purchase.otp.take()) else {
        return Err(Refusal::Unanswered);
    };
    let PurchaseInput { request, policy } = input(ctx);
    let binding = transition::binding(&request);
    let validate = ValidateOtp { client_id: request.client_id, otp, reference: request.purchase_id, binding };
    let call = steps::call(policy.patience, bounds(ctx), "spend the one-time password");
    match ctx.execute_activity(Identity::validate_otp, validate, call).await {
        Ok(OtpResult::Approved) => Ok(()),
        Ok(OtpResult::Refused { attempts_left }) => Err(Refusal::Otp { attempts_left }),
        Ok(OtpResult::Locked { until }) => Err(Refusal::OtpLocked { until }),
        Err(_outage) => Err(Refusal::Unanswered),
    }
}

/// Disburses the loan. Once this is sent only Mambu says what became of it, however long that takes.
pub(super) async fn disburse(ctx: &Context, terms: DisbursementTerms) -> Result<Disbursement, Refusal> {
    let disbursement = surely_disburse(ctx, disbursement(ctx, terms)).await?;
    compare(ctx, &disbursement, terms);
    Ok(disbursement)
}

/// The same where an earlier run may have sent it, with the dates of its day.
pub(super) async fn disburse_if_not_done(ctx: &Context, terms: DisbursementTerms) -> Result<Disbursement, Refusal> {
    surely_disburse(ctx, Disburse { was_tried: true, ..disbursement(ctx, terms) }).await
}

fn disbursement(ctx: &Context, terms: DisbursementTerms) -> Disburse {
    let request = input(ctx).request;
    Disburse {
        purchase_id: request.purchase_id,
        loan_account_id: request.loan_account_id,
        amount: request.amount,
        key: key(request.purchase_id, "disburse"),
        value_date: terms.value_date,
        first_payment_date: terms.first_payment_date,
        was_tried: false,
    }
}

async fn surely_disburse(ctx: &Context, disburse: Disburse) -> Result<Disbursement, Refusal> {
    let send = || steps::until_answered(ctx, CoreBanking::disburse, disburse.clone(), bounds(ctx), "disburse the loan");
    match surely(ctx, send).await {
        DisburseResult::Disbursed(disbursement) => Ok(disbursement),
        DisburseResult::Refused { reason } => Err(Refusal::Disbursement { reason }),
        DisburseResult::DisbursedElsewhere => {
            alert(ctx, "somebody else has disbursed this loan".to_owned());
            Err(Refusal::DisbursedElsewhere)
        }
    }
}

/// Mambu's first payment date counts. Another one than ours is something to look into.
fn compare(ctx: &Context, disbursement: &Disbursement, terms: DisbursementTerms) {
    let (theirs, ours) = (disbursement.first_payment_date, terms.first_payment_date);
    if theirs != ours {
        alert(ctx, format!("the first payment is on {theirs} at Mambu, and was computed as {ours}"));
    }
}

/// Keeps the disbursement and issues the code.
pub(super) async fn store(ctx: &Context, disbursement: Disbursement) -> IssueReply {
    let PurchaseInput { request, policy } = input(ctx);
    let now = steps::now(ctx);
    let store = Store { request, disbursement, expires_at: now + policy.expires_in, now };
    surely(ctx, || steps::on_our_store(ctx, || PurchaseRecords::store, store.clone(), bounds(ctx), "issue the code"))
        .await
}

/// Tries a scan.
pub(super) async fn scan(ctx: &Context, request: UseRequest) -> UseReply {
    let scan = Scan { purchase_id: purchase_id(ctx), request, now: steps::now(ctx) };
    surely(ctx, || steps::on_our_store(ctx, || PurchaseRecords::scan, scan.clone(), bounds(ctx), "scan the code")).await
}

/// Ends the time to scan.
pub(super) async fn expire(ctx: &Context) -> ExpireResult {
    let expire = Expire { purchase_id: purchase_id(ctx), now: steps::now(ctx) };
    surely(ctx, || steps::on_our_store(ctx, || PurchaseRecords::expire, expire.clone(), bounds(ctx), "end the code"))
        .await
}

/// Deletes the voucher. Not inside the workflow task: that one carries the answer to a scan.
pub(super) async fn delete_image(ctx: &Context) {
    let delete = DeleteImage { purchase_id: purchase_id(ctx) };
    surely(ctx, || {
        steps::until_answered(ctx, PurchaseRecords::delete_image, delete.clone(), bounds(ctx), "delete the voucher")
    })
    .await;
}

/// Deletes the voucher that somebody was drawing while the code ended.
pub(super) async fn delete_late_image(ctx: &Context) {
    pause(ctx, input(ctx).policy.image_grace, "time to finish a drawing").await;
    let delete = DeleteImage { purchase_id: purchase_id(ctx) };
    let label = "delete a late voucher";
    surely(ctx, || steps::on_our_store(ctx, || PurchaseRecords::delete_image, delete.clone(), bounds(ctx), label))
        .await;
}

/// Reverses the disbursement, again and again while something stands in the way that a person has to remove.
pub(super) async fn reverse(ctx: &Context, transaction_id: String) {
    let purchase_id = purchase_id(ctx);
    let reverse = Reverse { purchase_id, transaction_id, key: key(purchase_id, "reverse") };
    let label = "reverse the disbursement";
    let send = || steps::until_answered(ctx, CoreBanking::reverse, reverse.clone(), bounds(ctx), label);
    while let ReverseResult::Blocked { reason } = surely(ctx, send).await {
        alert(ctx, format!("the reversal is blocked: {reason}"));
        pause(ctx, input(ctx).policy.blocked_retry, "time to remove what blocks the reversal").await;
    }
    calm(ctx);
}

/// Notes the reversal and frees the loan.
pub(super) async fn note_reversal(ctx: &Context) {
    let note = NoteReversal { purchase_id: purchase_id(ctx), now: steps::now(ctx) };
    let label = "note the reversal";
    surely(ctx, || steps::on_our_store(ctx, || PurchaseRecords::note_reversal, note.clone(), bounds(ctx), label)).await;
}

/// A step once money may have moved. One that fails for good is a bug, and must not end the run with the money out:
/// operators are told, and it is tried again.
async fn surely<T, F>(ctx: &Context, step: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, ActivityExecutionError>>,
{
    loop {
        if let Ok(done) = step().await {
            return done;
        }
        alert(ctx, "a step fails in a way that no retry mends".to_owned());
        pause(ctx, input(ctx).policy.blocked_retry, "time to mend the step that fails").await;
    }
}

async fn pause(ctx: &Context, length: Duration, label: &str) {
    steps::wait_out(ctx, steps::now(ctx) + length, label, |_| false).await;
}

/// Idempotency key of a command: the same for every attempt, and another one for every command.
fn key(purchase_id: Uuid, command: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{purchase_id}/{command}").as_bytes())
}

fn purchase_id(ctx: &Context) -> Uuid {
    ctx.state(|purchase| purchase.input.request.purchase_id)
}

fn input(ctx: &Context) -> PurchaseInput {
    ctx.state(|purchase| purchase.input.clone())
}

fn bounds(ctx: &Context) -> StepBounds {
    ctx.state(|purchase| purchase.input.policy.bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mambu knows a command by its key: a release that computes another one could repeat it.
    #[test]
    fn keys_never_change() {
        let purchase_id: Uuid = "3f2b8c1e-6d4a-5e7f-9a0b-1c2d3e4f5a6b".parse().unwrap();
        assert_eq!(key(purchase_id, "disburse").to_string(), "768214c3-d18b-5d58-b58f-6ba2e5dcea66");
        assert_eq!(key(purchase_id, "reverse").to_string(), "9e4ec9b1-f3c4-501f-a8c7-71c3a524dd7f");
    }
}
