//! Who asks: the header `apiKey` or basic authentication, and the version of the API that is wanted.

use std::future::ready;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::refusal::Refusal;
use super::wire;
use crate::access::Lock;
use crate::connection::Interim;
use crate::state::Sandbox;

/// The user with whom the key goes in basic authentication.
const USER: &str = "perdura";
/// A user with the same key who may look at everything and change nothing.
const READER: &str = "reader";

/// A caller who showed the key.
pub(crate) struct Caller {
    pub(crate) interim: Interim,
    may_change: bool,
}

impl Caller {
    pub(crate) fn check_may_change(&self) -> Result<(), Refusal> {
        if self.may_change {
            return Ok(());
        }
        Err(Refusal::with_status(StatusCode::FORBIDDEN, "INVALID_PERMISSIONS"))
    }

    fn identify(parts: &Parts, lock: &Lock) -> Result<Self, Refusal> {
        let may_change = may_change(&parts.headers, lock)?;
        let is_accepted = header(&parts.headers, "accept").is_some_and(|accept| accept.contains(wire::CONTENT_TYPE));
        if !is_accepted {
            // A tenant would answer in the shapes of its older API; a refusal is easier to understand.
            return Err(Refusal::with_status(StatusCode::NOT_ACCEPTABLE, "INVALID_PARAMETERS").at("Accept"));
        }
        Ok(Self { interim: Interim::of(parts), may_change })
    }
}

impl FromRequestParts<Arc<Sandbox>> for Caller {
    type Rejection = Refusal;

    fn from_request_parts(
        parts: &mut Parts,
        sandbox: &Arc<Sandbox>,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        ready(Self::identify(parts, &sandbox.access().mambu))
    }
}

/// Whether the caller may do more than look; an error where it is nobody that Mambu knows.
fn may_change(headers: &HeaderMap, lock: &Lock) -> Result<bool, Refusal> {
    let unknown = |reason| Refusal::with_status(StatusCode::UNAUTHORIZED, reason);
    if let Some(key) = header(headers, "apikey") {
        return if lock.opens_with(key) { Ok(true) } else { Err(unknown("INVALID_CREDENTIALS")) };
    }
    let basic = header(headers, "authorization").ok_or_else(|| unknown("INVALID_CREDENTIALS"))?;
    let (user, password) = read_basic(basic).ok_or_else(|| unknown("INVALID_BASIC_AUTHORIZATION"))?;
    match user.as_str() {
        USER | READER if lock.opens_with(&password) => Ok(user == USER),
        _ => Err(unknown("INVALID_CREDENTIALS")),
    }
}

fn read_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;

    use super::*;
    use crate::mambu::samples;

    fn lock() -> Lock {
        let file = std::env::temp_dir().join(format!("sandbox-key-{}", Uuid::new_v4()));
        fs::write(&file, "right\n").unwrap();
        let lock = Lock::read(Some(&file)).unwrap();
        fs::remove_file(file).unwrap();
        lock
    }

    fn outcome(name: &'static str, value: &str) -> Result<bool, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        may_change(&headers, &lock()).map_err(|refusal| refusal.reason)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn both_kinds_of_authentication_are_taken_and_nothing_else() {
        assert_eq!(outcome("apikey", "right"), Ok(true));
        assert_eq!(outcome("apikey", "wrong"), Err("INVALID_CREDENTIALS"));
        assert_eq!(outcome("authorization", &basic("perdura:right")), Ok(true));
        assert_eq!(outcome("authorization", &basic("reader:right")), Ok(false));
        assert_eq!(outcome("authorization", &basic("perdura:wrong")), Err("INVALID_CREDENTIALS"));
        assert_eq!(outcome("authorization", &basic("somebody:right")), Err("INVALID_CREDENTIALS"));
        assert_eq!(outcome("authorization", "Bearer right"), Err("INVALID_BASIC_AUTHORIZATION"));
        assert_eq!(outcome("authorization", "Basic ???"), Err("INVALID_BASIC_AUTHORIZATION"));
        assert_eq!(outcome("x-other", "right"), Err("INVALID_CREDENTIALS"));
    }

    #[tokio::test]
    async fn the_version_must_be_asked_for() {
        let sandbox = samples::sandbox();
        let mut request = samples::request("GET", "/loans/LN-1", "");
        request.headers_mut().insert("accept", "application/json".parse().unwrap());
        assert_eq!(samples::ask(&sandbox, request).await.0, StatusCode::NOT_ACCEPTABLE);
        let mut request = samples::request("GET", "/loans/LN-1", "");
        request.headers_mut().remove("apikey");
        assert_eq!(samples::ask(&sandbox, request).await.0, StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn a_reader_looks_and_changes_nothing() {
        let sandbox = samples::sandbox();
        for (method, path, body, status) in [
            ("GET", "/loans/LN-1", "", 200),
            ("POST", "/loans/transactions:search", "{}", 200),
            ("POST", "/loans/LN-1/disbursement-transactions", "{}", 403),
        ] {
            let mut request = samples::request(method, path, body);
            request.headers_mut().remove("apikey");
            request.headers_mut().insert("authorization", basic("reader:any").parse().unwrap());
            assert_eq!(samples::ask(&sandbox, request).await.0.as_u16(), status, "{path}");
        }
        assert_eq!(samples::effects(&sandbox, "disbursement"), 0);
    }
}
