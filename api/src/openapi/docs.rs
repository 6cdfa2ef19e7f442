//! `GET /docs`: the document as a page. Everything that it loads comes from here.

use std::sync::Arc;

use axum::{
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};
use utoipa_swagger_ui::{Config, serve};

use super::schemas;
use crate::problem::Problem;

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Perdura API</title>
<link rel=\"icon\" href=\"data:,\">
<link rel=\"stylesheet\" href=\"/docs/swagger-ui.css\">
</head>
<body>
<div id=\"page\"></div>
<script src=\"/docs/swagger-ui-bundle.js\"></script>
<script src=\"/docs/start.js\"></script>
</body>
</html>
";

/// No validator: it would send the address of the document to another host.
const START: &str =
    "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null });\n";

/// The page draws with style attributes and images inside its style sheet; nothing of it comes from elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What the page is made of.
pub(super) const ASSETS: [&str; 3] = ["start.js", "swagger-ui-bundle.js", "swagger-ui.css"];

/// Show this document
///
/// A page for people, with everything that it needs from this very service.
#[utoipa::path(
    get, path = "/docs", operation_id = "show_docs", tag = "service",
    responses((status = 200, description = "The page", content_type = "text/html", body = String,
               example = json!("<!doctype html>"))),
)]
pub(crate) async fn page() -> Response {
    ([guard()], Html(PAGE)).into_response()
}

/// Names a part of the page.
pub(crate) struct Asset;

impl IntoParams for Asset {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let name = ParameterBuilder::new().name("asset").parameter_in(ParameterIn::Path).required(Required::True);
        vec![name.schema(Some(schemas::words(ASSETS, "Name of the part"))).build()]
    }
}

/// Load a part of the page
///
/// The scripts and the style sheet of `GET /docs`.
#[utoipa::path(
    get, path = "/docs/{asset}", operation_id = "get_docs_asset", tag = "service",
    params(Asset),
    responses((status = 200, description = "The part", content(
        (String = "text/javascript", example = json!("SwaggerUIBundle({})")), (String = "text/css", example = json!("body {}")),
    ))),
)]
pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let style = name.rsplit_once('.').is_some_and(|(_, extension)| extension == "css");
    let content_type = if style { "text/css" } else { "text/javascript" };
    let headers = [guard(), (header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    if name == "start.js" {
        return Ok((headers, START).into_response());
    }
    if !ASSETS.contains(&name.as_str()) {
        return Err(Problem::from(StatusCode::NOT_FOUND));
    }
    let file = serve(&name, Arc::new(Config::from("/openapi.json"))).map_err(|error| error.to_string());
    let file = file.map_err(Problem::unforeseen)?.ok_or_else(|| Problem::unforeseen(format!("{name} is missing")))?;
    Ok((headers, file.bytes.into_owned()).into_response())
}

fn guard() -> (HeaderName, HeaderValue) {
    (header::CONTENT_SECURITY_POLICY, POLICY)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.into()).unwrap()
    }

    /// The addresses that a text makes a browser load by itself.
    fn loaded(text: &str) -> Vec<&str> {
        let after = |mark| text.split(mark).skip(1).map(|rest| rest.trim_start_matches(['"', '\'']));
        [" src=", " href=", "url(", "@import ", "url: "].into_iter().flat_map(after).collect()
    }

    #[tokio::test]
    async fn the_page_loads_nothing_from_another_host() {
        let mut texts = vec![text(page().await).await];
        for name in ASSETS {
            let response = asset(Path(name.to_owned())).await.unwrap();
            assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
            texts.push(text(response).await);
        }
        // The bundle holds addresses as words; what it may load is what the policy says.
        texts.retain(|text| text.len() < 1_000_000);
        for address in texts.iter().flat_map(|text| loaded(text)) {
            let ours = address.starts_with("data:") || (address.starts_with('/') && !address.starts_with("//"));
            assert!(ours, "{}", address.chars().take(80).collect::<String>());
        }
        let policy = POLICY;
        let policy = policy.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("http") && !policy.contains('*'));
    }

    #[tokio::test]
    async fn every_part_is_there_and_nothing_else() {
        let page = text(page().await).await;
        for name in ASSETS {
            assert!(page.contains(&format!("/docs/{name}\"")), "{name} is not used");
            assert!(!text(asset(Path(name.to_owned())).await.unwrap()).await.is_empty());
        }
        assert!(asset(Path("index.html".to_owned())).await.is_err());
    }
}
