//! Versions of things in headers, so that a caller who waits for a change need not read the same thing again.

use axum::http::{HeaderMap, HeaderValue, header};
use utoipa::IntoParams;

/// The header of a caller who has a version already, as the API's description shows it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IfNoneMatch {
    /// Entity tags that the caller has: 304 when one of them is the present one.
    #[param(rename = "If-None-Match", example = "\"7\"")]
    #[expect(dead_code, reason = "only described; `has` reads the header")]
    tags: Option<String>,
}

/// The entity tag of `version`.
pub(crate) fn etag(version: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{version}\"")).ok()
}

/// Whether the caller has `version` already.
pub(crate) fn has(headers: &HeaderMap, version: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(',')).map(str::trim).any(|tag| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || strong.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_recognised_in_every_spelling() {
        let has_seven = |value: &'static str| {
            has(&HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))]), "7")
        };
        assert!(has_seven("\"7\"") && has_seven("W/\"7\"") && has_seven("\"6\", \"7\"") && has_seven("*"));
        assert!(!has_seven("\"8\"") && !has_seven("7") && !has_seven("\"7") && !has_seven(""));
        assert!(!has(&HeaderMap::new(), "7"));
    }
}
