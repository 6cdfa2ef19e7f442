//! Who calls, and whether he may. A handler takes a [`Caller`] of a permission, and so cannot forget to ask.

pub(crate) mod key;
mod key_cache;
mod permissions;
mod principal;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

pub(crate) use key::KeyHash;
pub(crate) use key_cache::KeyCache;
pub(crate) use permissions::{
    CancelInvoices, Canceller, CheckPurchases, DownloadVouchers, IssuePurchases, OpenFridges, Operate, Permission,
    PurchaseReader, ReadFridges, ReadInvoices, ReadPurchases, ReportDeposits, UseGifts, UsePurchases, WriteForms,
    WriteInvoices,
};
pub(crate) use principal::{Principal, SCOPES};

use crate::{problem::Problem, request_log, state::Api};

/// A caller with permission `P`.
#[derive(Debug)]
pub(crate) struct Caller<P: Permission> {
    /// Owner of the key, as it is kept: part of every id that is derived from a request.
    pub(crate) principal: String,
    /// Who that is to the route.
    pub(crate) who: P::Who,
}

impl<P: Permission> FromRequestParts<Api> for Caller<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let key = key_hash(&parts.headers)?;
        let Some(found) = api.keys.find(key).await? else {
            api.rate_limits.forget(&key);
            return Err(Problem::unauthenticated("the API key is unknown or was revoked"));
        };
        api.rate_limits.remember(key);
        request_log::name_caller(&parts.extensions, &found.principal);
        let principal: Principal = found.principal.parse().map_err(Problem::unforeseen)?;
        let who = P::admit(&principal, &found.scopes)?;
        Ok(Self { principal: found.principal.clone(), who })
    }
}

/// The hash of a request's API key, which need not be one that we gave out.
pub(crate) fn key_hash(headers: &HeaderMap) -> Result<KeyHash, Problem> {
    bearer(headers).map(key::hash)
}

/// The API key of a request. One that cannot be a key is refused without asking the database.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::unauthenticated("send one header: Authorization: Bearer <API key>"));
    };
    let (scheme, key) = value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || !key::is_well_formed(key) {
        return Err(Problem::unauthenticated("the Authorization header has no API key of this service"));
    }
    Ok(key)
}
