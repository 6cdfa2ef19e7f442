//! `GET /C/{code}`: what the QR symbol opens in a phone's camera. The same page for every code, without looking at it.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use utoipa::IntoParams;

use crate::{problem::Problem, state::Api};

const PAGE: &str = "<!doctype html>
<html lang=\"es\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"robots\" content=\"noindex\">
<title>Código de compra</title>
</head>
<body>
<h1>Código de compra</h1>
<p>Muestra este código en la caja de la tienda: ahí lo escanean para completar tu compra.</p>
<p>Por tu seguridad, no lo compartas con nadie más.</p>
</body>
</html>
";

/// The page loads nothing at all.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

/// Any code.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described: nobody looks at the code")]
pub(crate) struct AnyCode {
    /// Code.
    #[param(example = "7K3M9QX2VD4T8B5N1RWZA")]
    code: String,
}

/// Show where a code is used
///
/// A page that tells where to show the code. It is the same for every code, and for what is none.
#[utoipa::path(
    get, path = "/C/{code}", operation_id = "show_purchase_code_page", tag = "purchase codes", params(AnyCode),
    responses((status = 200, description = "The page", content_type = "text/html", body = String,
               example = json!("<!doctype html>"))),
)]
pub(crate) async fn page(State(api): State<Api>) -> Result<Response, Problem> {
    api.purchase_codes()?;
    Ok(html())
}

fn html() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_may_load_nothing_and_does_not_try() {
        let policy = html().headers()[header::CONTENT_SECURITY_POLICY].clone();
        assert!(policy.to_str().unwrap().starts_with("default-src 'none'"));
        for word in ["src=", "href=", "<script", "<style", "style=", "http"] {
            assert!(!PAGE.contains(word), "{word}");
        }
    }
}
