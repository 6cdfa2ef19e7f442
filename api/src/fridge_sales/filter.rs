use store::postgres::fridges::{Position, TransactionFilter};
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};
use workflows::fridge_sales::SaleStatus;

use super::check::LONGEST_ID;
use crate::{
    cursor,
    openapi::schemas,
    params::{self, QueryPairs, USUALLY},
    problem::Problem,
};

/// What a search is for. Whose transactions it is about follows from the caller.
#[derive(Debug)]
pub(super) struct SearchQuery(pub(super) TransactionFilter);

/// For whom a machine is asked how it is.
#[derive(Debug, Default)]
pub(super) struct StatusQuery {
    pub(super) user_id: Option<String>,
}

impl TryFrom<QueryPairs> for SearchQuery {
    type Error = Problem;

    /// Reads every parameter, or names each that is wrong.
    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let mut query = Self(TransactionFilter { limit: USUALLY, ..TransactionFilter::default() });
        pairs.read(|name, value| query.set(name, value))?;
        Ok(query)
    }
}

impl TryFrom<QueryPairs> for StatusQuery {
    type Error = Problem;

    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let mut query = Self::default();
        pairs.read(|name, value| query.set(name, value))?;
        Ok(query)
    }
}

impl IntoParams for SearchQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameters = [
            ("user_id", schemas::line(), "Only those of this user, by his id at the frontend"),
            ("email", schemas::line(), "Only those of users with this address now, in upper or lower case"),
            ("machine_id", schemas::line(), "Only those of this machine"),
            ("status", schemas::sale_status(), "Only these"),
            ("from", schemas::time(), "Only those of this time and later"),
            ("to", schemas::time(), "Only those before this time"),
        ];
        parameters.map(params::query).into_iter().chain(params::paging()).collect()
    }
}

impl IntoParams for StatusQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![params::query((
            "user_id",
            schemas::foreign_id(),
            "For which user of the frontend: recorded with the question",
        ))]
    }
}

impl SearchQuery {
    fn set(&mut self, name: &str, value: String) -> Result<(), &'static str> {
        let filter = &mut self.0;
        match name {
            "user_id" => filter.user_id = Some(value),
            "email" => filter.email = Some(value),
            "machine_id" => filter.machine_id = Some(value),
            "status" => filter.status = Some(SaleStatus::parse(&value).ok_or("is none of its values")?),
            "from" => filter.from = Some(params::time(&value)?),
            "to" => filter.to = Some(params::time(&value)?),
            "limit" => filter.limit = params::limit(&value)?,
            "cursor" => {
                let (created_at, transaction_id) = cursor::decode(&value).ok_or("is no cursor of this list")?;
                filter.after = Some(Position { created_at, transaction_id });
            }
            _ => return Err("is not known here"),
        }
        Ok(())
    }
}

impl StatusQuery {
    fn set(&mut self, name: &str, value: String) -> Result<(), &'static str> {
        if name != "user_id" {
            return Err("is not known here");
        }
        if !(1..=LONGEST_ID).contains(&value.chars().count()) {
            return Err("is not 1 to 200 characters");
        }
        self.user_id = Some(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> QueryPairs {
        QueryPairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn every_parameter_is_read() {
        let SearchQuery(none) = SearchQuery::try_from(pairs(&[])).unwrap();
        assert_eq!((none.limit, none.status, none.after), (20, None, None));
        let given = [
            ("user_id", "bubble-1"),
            ("email", "A@b.c"),
            ("machine_id", "FRIDGE-1"),
            ("status", "unresolved"),
            ("from", "2026-01-31T12:00:00+01:00"),
            ("to", "2026-02-28T12:00:00Z"),
            ("limit", "100"),
        ];
        let SearchQuery(all) = SearchQuery::try_from(pairs(&given)).unwrap();
        assert_eq!((all.user_id.as_deref(), all.email.as_deref()), (Some("bubble-1"), Some("A@b.c")));
        assert_eq!((all.machine_id.as_deref(), all.status), (Some("FRIDGE-1"), Some(SaleStatus::Unresolved)));
        assert_eq!(all.from.unwrap().to_rfc3339(), "2026-01-31T11:00:00+00:00");
        assert_eq!((all.to.unwrap().to_rfc3339().as_str(), all.limit), ("2026-02-28T12:00:00+00:00", 100));
    }

    #[test]
    fn a_search_goes_on_where_a_page_ended() {
        let at = chrono::DateTime::from_timestamp_micros(1_767_225_600_123_456).unwrap();
        let id = uuid::Uuid::from_u128(7);
        let SearchQuery(next) = SearchQuery::try_from(pairs(&[("cursor", &cursor::encode(at, id))])).unwrap();
        assert_eq!(next.after, Some(Position { created_at: at, transaction_id: id }));
    }

    #[test]
    fn each_bad_parameter_is_named() {
        for (name, value) in [
            ("status", "done"),
            ("from", "2026-01-31"),
            ("limit", "0"),
            ("cursor", "x"),
            ("frontend", "frontend:other"),
        ] {
            let refused = format!("{:?}", SearchQuery::try_from(pairs(&[(name, value)])).unwrap_err());
            assert!(refused.contains(&format!("field: {name:?}")), "{name}={value}: {refused}");
        }
    }

    #[test]
    fn a_question_may_be_for_a_user() {
        let user_id = |given: &[(&str, &str)]| StatusQuery::try_from(pairs(given)).map(|query| query.user_id);
        assert_eq!(user_id(&[]).unwrap(), None);
        assert_eq!(user_id(&[("user_id", "bubble-1")]).unwrap().as_deref(), Some("bubble-1"));
        for (name, value) in [("user_id", ""), ("user_id", "x".repeat(201).as_str()), ("email", "a@b.c")] {
            assert_eq!(user_id(&[(name, value)]).unwrap_err().code(), "invalid_query", "{name}={value}");
        }
    }
}
