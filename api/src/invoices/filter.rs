use std::str::FromStr;

use chrono::{DateTime, Utc};
use store::postgres::invoices::{InvoiceFilter, Position};
use utoipa::{
    IntoParams,
    openapi::{
        KnownFormat, ObjectBuilder, SchemaFormat,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::Type,
    },
};

use super::cursor;
use crate::{
    openapi::schemas,
    params::QueryPairs,
    problem::{FieldError, Problem, kinds},
};

const MOST: i64 = 100;
const USUALLY: i64 = 20;

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
    fn try_from(QueryPairs(pairs): QueryPairs) -> Result<Self, Problem> {
        let mut query = Self { filter: InvoiceFilter::default(), limit: USUALLY, after: None };
        let errors: Vec<_> = pairs
            .into_iter()
            .filter_map(|(name, value)| query.set(&name, value).err().map(|detail| FieldError::new(name, detail)))
            .collect();
        if errors.is_empty() {
            return Ok(query);
        }
        Err(Problem::with_errors(kinds::INVALID_QUERY, "see \"errors\" for each parameter", errors))
    }
}

impl IntoParams for ListQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let line = || text().pattern(Some(schemas::ONE_LINE)).build();
        let time = || text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build();
        let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MOST));
        let parameters = [
            ("status", schemas::invoice_status(), "Only these"),
            ("exception", schemas::invoice_exception(), "Only these"),
            ("coin_id", line(), "Only those of this coin"),
            ("network_id", line(), "Only those on this network"),
            ("external_id", line(), "Only the one with this id of the merchant"),
            ("created_from", time(), "Only those of this time and later"),
            ("created_to", time(), "Only those before this time"),
            ("limit", limit.default(Some(USUALLY.into())).build(), "How many at most"),
            ("cursor", text().pattern(Some(cursor::PATTERN)).build(), "Goes on where a page ended: its `next_cursor`"),
        ];
        let parameter = |(name, schema, description)| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.schema(Some(schema)).description(Some(description)).build()
        };
        parameters.map(parameter).into()
    }
}

impl ListQuery {
    fn set(&mut self, name: &str, value: String) -> Result<(), &'static str> {
        let filter = &mut self.filter;
        match name {
            "status" => filter.status = Some(word(&value)?),
            "exception" => filter.exception = Some(word(&value)?),
            "coin_id" => filter.coin_id = Some(value),
            "network_id" => filter.network_id = Some(value),
            "external_id" => filter.external_id = Some(value),
            "created_from" => filter.created_from = Some(time(&value)?),
            "created_to" => filter.created_to = Some(time(&value)?),
            "limit" => self.limit = limit(&value)?,
            "cursor" => self.after = Some(cursor::decode(&value).ok_or("is no cursor of this list")?),
            _ => return Err("is not known here"),
        }
        Ok(())
    }
}

fn word<T: FromStr>(value: &str) -> Result<T, &'static str> {
    value.parse().map_err(|_| "is none of its values")
}

fn time(value: &str) -> Result<DateTime<Utc>, &'static str> {
    let time = DateTime::parse_from_rfc3339(value).map_err(|_| "is no time as in 2026-01-31T12:00:00Z")?;
    Ok(time.to_utc())
}

fn limit(value: &str) -> Result<i64, &'static str> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| digits).filter(|limit| (1..=MOST).contains(limit)).ok_or("is not between 1 and 100")
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
