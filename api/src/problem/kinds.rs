//! Every kind of problem that the API answers with. A code, once published, keeps its meaning.

use axum::http::StatusCode;

/// What all problems with the same code share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        $(pub(crate) const $name: Kind = Kind { status: StatusCode::$status, code: $code, title: $title };)*

        /// All of them.
        pub(crate) const ALL: &[Kind] = &[$($name),*];
    };
}

kinds! {
    BAD_REQUEST = BAD_REQUEST, "bad_request", "The request cannot be understood";
    INVALID_JSON = BAD_REQUEST, "invalid_json", "The body is not JSON";
    INVALID_BODY = BAD_REQUEST, "invalid_body", "The body is not of the form that this route takes";
    INVALID_QUERY = BAD_REQUEST, "invalid_query", "A query parameter is unknown or cannot be read";
    IDEMPOTENCY_KEY_MISSING = BAD_REQUEST, "idempotency_key_missing", "This route needs an Idempotency-Key";
    IDEMPOTENCY_KEY_INVALID = BAD_REQUEST, "idempotency_key_invalid", "The Idempotency-Key cannot be used";
    CREDENTIALS_INVALID = BAD_REQUEST, "credentials_invalid", "The supplier's number or the PIN is wrong";
    GIFT_NOT_FOUND = BAD_REQUEST, "gift_not_found", "There is no such gift";
    GIFT_NOT_ACTIVE = BAD_REQUEST, "gift_not_active", "The gift is switched off";
    GIFT_NOT_YET_VALID = BAD_REQUEST, "gift_not_yet_valid", "The gift cannot be used yet";
    GIFT_EXPIRED = BAD_REQUEST, "gift_expired", "The gift cannot be used any more";
    GIFT_ALREADY_USED = BAD_REQUEST, "gift_already_used", "The gift was used before";
    SUPPLIER_MISMATCH = BAD_REQUEST, "supplier_mismatch", "The gift is for another supplier";
    UNAUTHENTICATED = UNAUTHORIZED, "unauthenticated", "No valid API key was given";
    SIGNATURE_INVALID = UNAUTHORIZED, "signature_invalid", "The signature does not fit the body";
    SCOPE_MISSING = FORBIDDEN, "scope_missing", "The API key may not do this";
    PRINCIPAL_NOT_ALLOWED = FORBIDDEN, "principal_not_allowed", "This is not for the owner of this API key";
    OTP_REFUSED = FORBIDDEN, "otp_refused", "The one-time password does not confirm this";
    OTP_LOCKED = FORBIDDEN, "otp_locked", "Too many one-time passwords of this client were wrong";
    CODE_NOT_VALID = FORBIDDEN, "code_not_valid", "The purchase code is not valid here";
    NOT_FOUND = NOT_FOUND, "not_found", "There is no such thing";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method_not_allowed", "The route does not take this method";
    REQUEST_TIMEOUT = REQUEST_TIMEOUT, "request_timeout", "The request did not arrive in time";
    EXTERNAL_ID_TAKEN = CONFLICT, "external_id_taken", "The external id belongs to another invoice";
    INVOICE_NOT_CANCELLABLE = CONFLICT, "invoice_not_cancellable", "The invoice cannot be cancelled any more";
    LATE_MONEY_NOT_ACCEPTABLE = CONFLICT, "late_money_not_acceptable", "There is no late money that can be accepted";
    DEPOSIT_ATTACHED_ALREADY = CONFLICT, "deposit_attached_already", "The deposit belongs to an invoice already";
    PAYMENT_NOT_AWAITED = CONFLICT, "payment_not_awaited", "Nothing is to be paid for the invoice any more";
    FORM_CHANGED = CONFLICT, "form_changed", "The form is not as the buyer was shown it";
    FORM_USED_UP = CONFLICT, "form_used_up", "The form was used as often as it may be";
    PURCHASE_ACTIVE = CONFLICT, "purchase_active", "The loan has another purchase already";
    LOAN_DISBURSED_ELSEWHERE = CONFLICT, "loan_disbursed_elsewhere", "The loan was disbursed in another way";
    MACHINE_BUSY = CONFLICT, "machine_busy", "Another sale has the machine";
    GIFT_NOT_USED = CONFLICT, "gift_not_used", "There is no use of the gift to undo";
    REDEEMED_ELSEWHERE = CONFLICT, "redeemed_elsewhere", "Another device used the gift";
    VOID_WINDOW_OVER = CONFLICT, "void_window_over", "The use of the gift cannot be undone any more";
    CODE_EXPIRED = GONE, "code_expired", "The purchase code is over";
    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body is compressed, or not application/json";
    UNACCEPTABLE = UNPROCESSABLE_ENTITY, "unacceptable", "The request is understood and cannot be accepted";
    IDEMPOTENCY_KEY_REUSED = UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The Idempotency-Key came with another body";
    LOAN_REFUSED = UNPROCESSABLE_ENTITY, "loan_refused", "The loan is not what the request says";
    SCHEDULE_IMPOSSIBLE = UNPROCESSABLE_ENTITY, "schedule_impossible", "The loan has no first payment date";
    DISBURSEMENT_REFUSED = UNPROCESSABLE_ENTITY, "disbursement_refused", "The loan cannot be disbursed";
    RATE_LIMITED = TOO_MANY_REQUESTS, "rate_limited", "Too many requests came at once";
    GIFT_PIN_LOCKED = TOO_MANY_REQUESTS, "gift_pin_locked", "Too many PINs were wrong";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side";
    MACHINE_OFFLINE = BAD_GATEWAY, "machine_offline", "The machine is not online";
    MACHINE_UNREACHABLE = BAD_GATEWAY, "machine_unreachable", "The way to the machine is interrupted";
    FRIDGE_REFUSED = BAD_GATEWAY, "fridge_refused", "The machine was not opened";
    FRIDGE_UNANSWERED = BAD_GATEWAY, "fridge_unanswered", "The machine did not begin in time and was not opened";
    FRIDGE_INTERRUPTED = BAD_GATEWAY, "fridge_interrupted", "The connection was lost before the machine was opened";
    TEMPORARILY_UNAVAILABLE = SERVICE_UNAVAILABLE, "temporarily_unavailable", "This is not possible just now";
    OTP_UNANSWERED = SERVICE_UNAVAILABLE, "otp_unanswered", "The one-time password or the loan could not be checked";
    MACHINE_UNANSWERED = GATEWAY_TIMEOUT, "machine_unanswered", "The machine did not answer in time";
}

/// The kind of an error that the framework answered with nothing but a status.
pub(super) fn of_status(status: StatusCode) -> Kind {
    match status {
        StatusCode::NOT_FOUND => NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => METHOD_NOT_ALLOWED,
        StatusCode::REQUEST_TIMEOUT => REQUEST_TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE => BODY_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => UNSUPPORTED_MEDIA_TYPE,
        StatusCode::UNPROCESSABLE_ENTITY => UNACCEPTABLE,
        StatusCode::TOO_MANY_REQUESTS => RATE_LIMITED,
        StatusCode::SERVICE_UNAVAILABLE => TEMPORARILY_UNAVAILABLE,
        _ if status.is_client_error() => Kind { status, ..BAD_REQUEST },
        _ => INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_one_kind() {
        let mut codes: Vec<_> = ALL.iter().map(|kind| kind.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }

    #[test]
    fn a_status_alone_keeps_its_number() {
        for number in 400..=431 {
            let status = StatusCode::from_u16(number).unwrap();
            assert_eq!(of_status(status).status, status);
        }
    }
}
