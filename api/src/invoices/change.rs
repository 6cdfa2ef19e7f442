//! What the requests that change an invoice have in common.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use store::postgres::invoices::{Invoice, InvoiceEvent};
use utoipa::IntoResponses;
use workflows::invoices::Standing;

use super::{body::InvoiceBody, location, respond};
use crate::{
    problem::{Problem, kinds},
    text::{self, Lines},
};

const LONGEST_NOTE: usize = 500;

/// What [`pending`] answers, as the API's description shows it.
#[derive(IntoResponses)]
#[response(
    status = 202,
    description = "Taken, and not done yet: the invoice as it is until then",
    headers(
        ("ETag" = String, description = "The invoice's version"),
        ("Location" = String, description = "Where the invoice is read"),
        ("Retry-After" = u32, description = "Seconds until the same request may have its answer"),
    )
)]
pub(super) struct Pending(#[expect(dead_code, reason = "only described; `pending` writes the body")] InvoiceBody);

/// Refuses a note that is not for people.
pub(super) fn check_note(note: &str) -> Result<(), Problem> {
    let flaw = text::flaw(note, LONGEST_NOTE, Lines::Many);
    flaw.map_or(Ok(()), |flaw| Err(Problem::with_error(kinds::UNACCEPTABLE, "note", flaw)))
}

/// The invoice as its run answered.
pub(super) fn at_standing(invoice: Invoice, standing: Standing) -> Invoice {
    let Standing { status, exception, seen, confirmed, late, version, updated_at, .. } = standing;
    Invoice { status, exception, seen, confirmed, late, version, updated_at, ..invoice }
}

/// The invoice as an event left it.
pub(super) fn at_event(invoice: Invoice, event: InvoiceEvent) -> Invoice {
    Invoice {
        status: event.to,
        exception: event.exception,
        seen: event.seen,
        confirmed: event.confirmed,
        late: event.late,
        version: event.sequence,
        updated_at: event.at,
        ..invoice
    }
}

/// It was taken and will be done; the invoice as it is until then.
pub(super) fn pending(invoice: &Invoice) -> Result<Response, Problem> {
    let mut response = respond(StatusCode::ACCEPTED, invoice);
    response.headers_mut().insert(header::LOCATION, location(invoice.invoice_id)?);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_may_have_lines_and_has_an_end() {
        assert!(check_note("").is_ok() && check_note("out of stock\n\tuntil spring").is_ok());
        assert!(check_note(&"n".repeat(500)).is_ok());
        for note in ["a\0", "\u{1b}[2J", &"n".repeat(501)] {
            assert_eq!(check_note(note).unwrap_err().code(), "unacceptable", "{note:?}");
        }
    }
}
