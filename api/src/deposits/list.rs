//! `GET /deposits`: money that an operator has to look at, newest first.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use store::postgres::deposits::DepositResult;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Required,
        path::{Parameter, ParameterIn},
    },
};
use uuid::Uuid;

use super::body::DepositBody;
use crate::{
    auth::{Caller, Operate},
    cursor,
    openapi::schemas,
    params::{self, QueryPairs, USUALLY},
    problem::{Problem, kinds},
    state::Api,
};

/// Which deposits are asked for.
#[derive(Debug)]
pub(crate) struct ListQuery {
    result: DepositResult,
    limit: i64,
    after: Option<(DateTime<Utc>, Uuid)>,
}

/// A page of deposits.
#[derive(Serialize, ToSchema)]
#[schema(as = DepositPage, examples(json!({"items": [], "next_cursor": null})))]
pub(crate) struct Page {
    #[schema(max_items = 100)]
    items: Vec<DepositBody>,
    /// Goes on after this page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// List deposits
///
/// The money without an invoice, or the money that an earlier invoice may be about as well; newest first, a page at a
/// time.
#[utoipa::path(
    get, path = "/deposits", operation_id = "list_deposits", tag = "operators",
    security(("api_key" = ["operator"])), params(ListQuery),
    responses((status = 200, description = "A page of them", body = Page)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    _operator: Caller<Operate>,
    pairs: QueryPairs,
) -> Result<Json<Page>, Problem> {
    let query = ListQuery::try_from(pairs)?;
    let most = usize::try_from(query.limit).unwrap_or_default();
    // One more than asked for shows whether the list goes on.
    let mut found = api.database.list_deposits(query.result, query.after, query.limit + 1).await?;
    let goes_on = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| goes_on);
    let next_cursor = last.map(|deposit| cursor::encode(deposit.created_at, deposit.deposit_id));
    Ok(Json(Page { items: found.into_iter().map(DepositBody::from).collect(), next_cursor }))
}

impl TryFrom<QueryPairs> for ListQuery {
    type Error = Problem;

    /// Reads every parameter, or names each that is wrong.
    fn try_from(pairs: QueryPairs) -> Result<Self, Problem> {
        let (mut result, mut limit, mut after) = (None, USUALLY, None);
        pairs.read(|name, value| {
            match name {
                "result" => result = Some(asked_for(&value).ok_or("is none of its values")?),
                "limit" => limit = params::limit(&value)?,
                "cursor" => after = Some(cursor::decode(&value).ok_or("is no cursor of this list")?),
                _ => return Err("is not known here"),
            }
            Ok(())
        })?;
        let result = result.ok_or_else(|| Problem::with_error(kinds::INVALID_QUERY, "result", "is missing"))?;
        Ok(Self { result, limit, after })
    }
}

impl IntoParams for ListQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut result = params::query(("result", schemas::deposit_result(), "Only these"));
        result.required = Required::True;
        [result].into_iter().chain(params::paging()).collect()
    }
}

fn asked_for(word: &str) -> Option<DepositResult> {
    match word {
        "unmatched" => Some(DepositResult::Unmatched),
        "ambiguous" => Some(DepositResult::Ambiguous),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ListQuery, Problem> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        QueryPairs(pairs).try_into()
    }

    #[test]
    fn every_parameter_is_read() {
        let query = read(&[("result", "unmatched")]).unwrap();
        assert!(matches!(query, ListQuery { result: DepositResult::Unmatched, limit: 20, after: None }));
        let at = DateTime::from_timestamp_micros(1_767_225_600_123_456).unwrap();
        let cursor = cursor::encode(at, Uuid::from_u128(7));
        let query = read(&[("result", "ambiguous"), ("limit", "100"), ("cursor", &cursor)]).unwrap();
        assert!(matches!(query.result, DepositResult::Ambiguous));
        assert_eq!((query.limit, query.after), (100, Some((at, Uuid::from_u128(7)))));
    }

    #[test]
    fn each_bad_parameter_is_named() {
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[], "result"),
            (&[("limit", "20")], "result"),
            (&[("result", "")], "result"),
            (&[("result", "attached")], "result"),
            (&[("result", "unmatched"), ("limit", "0")], "limit"),
            (&[("result", "unmatched"), ("cursor", "x")], "cursor"),
            (&[("result", "unmatched"), ("network_id", "tron")], "network_id"),
        ];
        for (pairs, field) in cases {
            let refused = format!("{:?}", read(pairs).unwrap_err());
            assert!(refused.contains("\"invalid_query\""), "{refused}");
            assert!(refused.contains(&format!("field: {field:?}")), "{pairs:?}: {refused}");
        }
    }
}
