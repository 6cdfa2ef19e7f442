use std::str::FromStr;

use store::postgres::invoices::{InvoiceFilter, Position};
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use crate::{
    cursor,
    openapi::schemas,
    params::{self, QueryPairs, USUALLY},
    problem::Problem,
};

/// What a list is asked for.
#[derive(Debug)]
pub(super) struct ListQuery {
    pub(super) filter: InvoiceFilter,
    pub(super) limit: i64,
    pub(super) after: Option<Position>,
}

impl TryFrom<QueryPairs> for ListQuery {
    type Error = Problem;

    /// Reads every parameter, or names each that is wrong.
    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let mut query = Self { filter: InvoiceFilter::default(), limit: USUALLY, after: None };
        pairs.read(|name, value| query.set(name, value))?;
        Ok(query)
    }
}

impl IntoParams for ListQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        parameters().into_iter().chain(params::paging()).collect()
    }
}

impl ListQuery {
    fn set(&mut self, name: &str, value: String) -> Result<(), &'static str> {
        match name {
            "limit" => self.limit = params::limit(&value)?,
            "cursor" => {
                let (created_at, invoice_id) = cursor::decode(&value).ok_or("is no cursor of this list")?;
                self.after = Some(Position { created_at, invoice_id });
            }
            _ => return set(&mut self.filter, name, value),
        }
        Ok(())
    }
}

/// Reads a parameter of the filter alone.
pub(super) fn set(filter: &mut InvoiceFilter, name: &str, value: String) -> Result<(), &'static str> {
    match name {
        "status" => filter.status = Some(word(&value)?),
        "exception" => filter.exception = Some(word(&value)?),
        "coin_id" => filter.coin_id = Some(value),
        "network_id" => filter.network_id = Some(value),
        "external_id" => filter.external_id = Some(value),
        "created_from" => filter.created_from = Some(params::time(&value)?),
        "created_to" => filter.created_to = Some(params::time(&value)?),
        _ => return Err("is not known here"),
    }
    Ok(())
}

/// The parameters of the filter alone, as the API's description shows them.
pub(super) fn parameters() -> [Parameter; 7] {
    let parameters = [
        ("status", schemas::invoice_status(), "Only these"),
        ("exception", schemas::invoice_exception(), "Only these"),
        ("coin_id", schemas::line(), "Only those of this coin"),
        ("network_id", schemas::line(), "Only those on this network"),
        ("external_id", schemas::line(), "Only the one with this id of the merchant"),
        ("created_from", schemas::time(), "Only those of this time and later"),
        ("created_to", schemas::time(), "Only those before this time"),
    ];
    parameters.map(params::query)
}

fn word<T: FromStr>(value: &str) -> Result<T, &'static str> {
    value.parse().map_err(|_| "is none of its values")
}

#[cfg(test)]
mod tests {
    use workflows::invoices::InvoiceStatus;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ListQuery, Problem> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        QueryPairs(pairs).try_into()
    }

    #[test]
    fn without_parameters_twenty_come() {
        let query = read(&[]).unwrap();
        assert_eq!((query.limit, query.after), (20, None));
    }

    #[test]
    fn every_parameter_is_read() {
        let query =
            read(&[("status", "expired"), ("limit", "100"), ("created_to", "2026-01-31T12:00:00+01:00")]).unwrap();
        assert_eq!(query.filter.status, Some(InvoiceStatus::Expired));
        assert_eq!(query.filter.created_to.unwrap().to_rfc3339(), "2026-01-31T11:00:00+00:00");
    }

    #[test]
    fn each_bad_parameter_is_named() {
        for (name, value) in [
            ("status", "done"),
            ("exception", ""),
            ("created_from", "2026-01-31"),
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "1.5"),
            ("cursor", "x"),
            ("merchant_id", "x"),
        ] {
            let refused = format!("{:?}", read(&[(name, value)]).unwrap_err());
            assert!(refused.contains(&format!("field: {name:?}")), "{name}={value}: {refused}");
        }
    }
}
