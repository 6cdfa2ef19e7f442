//! Versions of things in headers, so that a caller who waits for a change need not read the same thing again.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use utoipa::{IntoParams, IntoResponses};

/// The header of a caller who has a version already, as the API's description shows it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IfNoneMatch {
    /// Entity tags that the caller has: 304 when one of them is the present one.
    #[param(rename = "If-None-Match", example = "\"7\"")]
    #[expect(dead_code, reason = "only described; `has` reads the header")]
    tags: Option<String>,
}

/// The answer to a caller who has the present version, as the API's description shows it.
#[derive(Debug, IntoResponses)]
#[response(
    status = 304,
    description = "The caller has this version",
    headers(("ETag" = String, description = "Its version"))
)]
pub(crate) struct NotModified;

/// The entity tag of `version`.
pub(crate) fn etag(version: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{version}\"")).ok()
}

/// 304 with the version that the caller has.
pub(crate) fn not_modified(version: &str) -> Response {
    let tag = etag(version).map(|tag| (header::ETAG, tag));
    (StatusCode::NOT_MODIFIED, tag.into_iter().collect::<HeaderMap>()).into_response()
}

/// Whether the caller has `version` already.
pub(crate) fn has(headers: &HeaderMap, version: &str) -> bool {
    names(headers, version) || tags(headers).any(|tag| tag == "*")
}

/// Whether the caller names `version`. With `*` he has whatever there is, and knows of no version that could change.
pub(crate) fn names(headers: &HeaderMap, version: &str) -> bool {
    tags(headers).any(|tag| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        strong.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(version)
    })
}

fn tags(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_version_is_recognised_in_every_spelling() {
        let has_seven = |value| has(&given(value), "7");
        assert!(has_seven("\"7\"") && has_seven("W/\"7\"") && has_seven("\"6\", \"7\"") && has_seven("*"));
        assert!(!has_seven("\"8\"") && !has_seven("7") && !has_seven("\"7") && !has_seven(""));
        assert!(!has(&HeaderMap::new(), "7"));
    }

    #[test]
    fn whatever_there_is_has_no_name() {
        let names_seven = |value| names(&given(value), "7");
        assert!(names_seven("\"7\"") && names_seven("W/\"7\"") && names_seven("*, \"7\""));
        assert!(!names_seven("*") && !names_seven("\"*\"") && !names_seven("\"8\""));
    }
}
