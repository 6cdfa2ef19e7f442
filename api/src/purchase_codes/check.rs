use serde::Deserialize;
use utoipa::ToSchema;
use workflows::domain::{Confidential, Money};

use crate::{
    json, money,
    openapi::schemas,
    problem::{FieldError, Problem, kinds},
    text::{bad_id, is_outside_id},
};

const OTP_DIGITS: std::ops::RangeInclusive<usize> = 4..=12;

/// What a client confirms.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "otp": "123456", "client_id": "C-1", "credit_line_id": "CL-1", "loan_account_id": "LN-1", "provider": "P-1",
    "amount": "1250.00", "currency": "MXN",
})))]
pub(crate) struct IssuePurchase {
    #[schema(schema_with = schemas::otp)]
    #[serde(deserialize_with = "json::confidential")]
    pub(super) otp: Confidential,
    #[schema(schema_with = schemas::outside_id)]
    pub(super) client_id: String,
    #[schema(schema_with = schemas::outside_id)]
    pub(super) credit_line_id: String,
    /// The loan to disburse.
    #[schema(schema_with = schemas::outside_id)]
    pub(super) loan_account_id: String,
    /// Who may scan the code.
    #[schema(schema_with = schemas::outside_id)]
    pub(super) provider: String,
    /// The whole loan.
    #[schema(schema_with = schemas::money)]
    amount: String,
    #[schema(schema_with = schemas::currency)]
    currency: String,
}

impl IssuePurchase {
    /// What is to be disbursed, or every field that is unacceptable.
    pub(super) fn check(&self) -> Result<Money, Problem> {
        let mut errors = self.texts();
        let amount = money::read(("amount", &self.amount), ("currency", &self.currency), &mut errors);
        amount
            .filter(|_| errors.is_empty())
            .ok_or_else(|| Problem::with_errors(kinds::UNACCEPTABLE, "see \"errors\" for each field", errors))
    }

    fn texts(&self) -> Vec<FieldError> {
        let id_flaw = |id: &str| (!is_outside_id(id)).then(bad_id);
        let flaws = [
            ("otp", otp_flaw(self.otp.expose())),
            ("client_id", id_flaw(&self.client_id)),
            ("credit_line_id", id_flaw(&self.credit_line_id)),
            ("loan_account_id", id_flaw(&self.loan_account_id)),
            ("provider", id_flaw(&self.provider)),
        ];
        flaws.into_iter().filter_map(|(field, flaw)| Some(FieldError::new(field, flaw?))).collect()
    }
}

fn otp_flaw(otp: &str) -> Option<String> {
    let sound = OTP_DIGITS.contains(&otp.len()) && otp.bytes().all(|byte| byte.is_ascii_digit());
    (!sound).then(|| format!("is not {} to {} digits", OTP_DIGITS.start(), OTP_DIGITS.end()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(changes: &Value) -> IssuePurchase {
        let mut body = json!({
            "otp": "123456", "client_id": "C-1", "credit_line_id": "CL-1", "loan_account_id": "LN-1", "provider": "P-1",
            "amount": "1250.00", "currency": "MXN"
        });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    fn refused(changes: &Value) -> String {
        format!("{:?}", body(changes).check().unwrap_err())
    }

    #[test]
    fn the_amount_is_read_in_its_currency() {
        assert_eq!(body(&json!({})).check().unwrap().to_string(), "1250.00 MXN");
        assert_eq!(body(&json!({"amount": "1250", "currency": "CLP"})).check().unwrap().minor, 1250);
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        for otp in ["1234", "123456789012"] {
            body(&json!({"otp": otp, "client_id": "c".repeat(64), "amount": "0.01"})).check().unwrap();
        }
    }

    #[test]
    fn each_unacceptable_field_is_named() {
        for (field, value) in [
            ("otp", "123"),
            ("otp", "1234567890123"),
            ("otp", "12345a"),
            ("otp", "１２３４"),
            ("client_id", ""),
            ("client_id", "a b"),
            ("credit_line_id", "a/b"),
            ("loan_account_id", ".."),
            ("loan_account_id", "ñ"),
            ("provider", "a\n"),
            ("amount", "0"),
            ("amount", "0.00"),
            ("amount", "-1"),
            ("amount", "1.234"),
            ("amount", "1e3"),
            ("amount", "1000000000000000.00"),
            ("currency", "mxn"),
            ("currency", ""),
        ] {
            let refused = refused(&json!({field: value}));
            assert!(refused.contains(&format!("field: {field:?}")), "{field} {value}: {refused}");
            assert_eq!(refused.matches("field: ").count(), 1, "{field} {value}: {refused}");
        }
        assert!(refused(&json!({"client_id": "c".repeat(65)})).contains("field: \"client_id\""));
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let refused = refused(&json!({
            "otp": "x", "client_id": "", "credit_line_id": "", "loan_account_id": "", "provider": "", "amount": "x",
            "currency": "x"
        }));
        let fields = ["otp", "client_id", "credit_line_id", "loan_account_id", "provider", "amount", "currency"];
        for field in fields {
            assert!(refused.contains(&format!("field: {field:?}")), "{field}: {refused}");
        }
    }

    #[test]
    fn the_password_is_nowhere_in_a_refusal() {
        let refused = refused(&json!({"otp": "987654x"}));
        assert!(!refused.contains("987654"), "{refused}");
        assert!(!format!("{:?}", body(&json!({"otp": "987654"}))).contains("987654"));
    }
}
