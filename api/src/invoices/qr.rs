//! `GET /invoices/{id}/qr.svg` and `qr.png`: what remains to be paid, for the camera of a wallet. For the merchant by his
//! key, and for the buyer by his token.

use std::borrow::Cow;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use store::postgres::invoices::Invoice;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        path::{Parameter, ParameterIn},
        schema::{Schema, Type},
    },
};
use uuid::Uuid;

use super::{find, payment_uris::payment_uris};
use crate::{
    auth::{Caller, ReadInvoices},
    etag::{self, IfNoneMatch, NotModified},
    openapi::schemas,
    params::{self, PathId, QueryPairs},
    problem::{Problem, kinds},
    qr::Symbol,
    state::Api,
};

/// Pixels of a side, at least and at most: the longest payment URI has 65 modules with the light around it.
const SIZES: std::ops::RangeInclusive<usize> = 100..=1000;
/// When nobody says otherwise.
const USUAL_SIZE: usize = 300;

/// What a symbol is asked for.
#[derive(Debug)]
struct Asked {
    token: Option<String>,
    size: usize,
}

/// The parameters of a drawing.
pub(crate) struct SvgQuery;

/// The parameters of a picture.
pub(crate) struct PngQuery;

/// A drawing.
pub(crate) struct Svg;

/// A picture.
pub(crate) struct Png;

impl Asked {
    /// A drawing has no size.
    fn read(pairs: QueryPairs, has_size: bool) -> Result<Self, Problem> {
        let mut asked = Self { token: None, size: USUAL_SIZE };
        pairs.read(|name, value| {
            match name {
                "token" => asked.token = Some(value),
                "size" if has_size => asked.size = size(&value)?,
                _ => return Err("is not known here"),
            }
            Ok(())
        })?;
        Ok(asked)
    }
}

fn size(value: &str) -> Result<usize, &'static str> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let size = value.parse().ok().filter(|size| digits && SIZES.contains(size));
    size.ok_or("is not between 100 and 1000")
}

impl IntoParams for SvgQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![token()]
    }
}

impl IntoParams for PngQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let size = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(100)).maximum(Some(1000));
        vec![token(), params::query(("size", size.default(Some(300.into())).build(), "Pixels of a side"))]
    }
}

fn token() -> Parameter {
    params::query(("token", schemas::view_token(), "The buyer's token, instead of a key"))
}

impl ToSchema for Svg {
    fn name() -> Cow<'static, str> {
        "InvoiceQrSvg".into()
    }
}

impl PartialSchema for Svg {
    fn schema() -> RefOr<Schema> {
        let svg = ObjectBuilder::new().schema_type(Type::String).content_media_type("image/svg+xml");
        svg.description(Some("A square drawing of black and white")).into()
    }
}

impl ToSchema for Png {
    fn name() -> Cow<'static, str> {
        "InvoiceQrPng".into()
    }
}

impl PartialSchema for Png {
    fn schema() -> RefOr<Schema> {
        let png = ObjectBuilder::new().schema_type(Type::String).content_media_type("image/png");
        png.description(Some("A square PNG of black and white")).into()
    }
}

/// Draw an invoice's QR symbol
///
/// The first of the invoice's payment URIs as an SVG, of whatever size it is shown in. For the merchant, or for whoever
/// has the buyer's token; from pages of any origin.
#[utoipa::path(
    get, path = "/invoices/{id}/qr.svg", operation_id = "draw_invoice_qr", tag = "invoices",
    security(("api_key" = ["invoices:read"]), ()), params(PathId, SvgQuery, IfNoneMatch),
    responses(
        (status = 200, description = "The drawing", content_type = "image/svg+xml", body = Svg,
         headers(("ETag" = String, description = "The invoice's version, which changes with it"))),
        NotModified,
    ),
    extensions(("x-problems" = json!([kinds::PAYMENT_NOT_AWAITED.code]))),
)]
pub(crate) async fn svg(
    State(api): State<Api>,
    PathId(invoice_id): PathId,
    pairs: QueryPairs,
    caller: Result<Caller<ReadInvoices>, Problem>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::read(pairs, false)?;
    let invoice = visible(&api, invoice_id, asked.token.as_deref(), caller).await?;
    respond(&invoice, &headers, |symbol| Ok(([(header::CONTENT_TYPE, "image/svg+xml")], symbol.svg()).into_response()))
}

/// Picture an invoice's QR symbol
///
/// The first of the invoice's payment URIs as a PNG. For the merchant, or for whoever has the buyer's token; from pages of
/// any origin.
#[utoipa::path(
    get, path = "/invoices/{id}/qr.png", operation_id = "picture_invoice_qr", tag = "invoices",
    security(("api_key" = ["invoices:read"]), ()), params(PathId, PngQuery, IfNoneMatch),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = Png,
         headers(("ETag" = String, description = "The invoice's version, which changes with it"))),
        NotModified,
    ),
    extensions(("x-problems" = json!([kinds::PAYMENT_NOT_AWAITED.code]))),
)]
pub(crate) async fn png(
    State(api): State<Api>,
    PathId(invoice_id): PathId,
    pairs: QueryPairs,
    caller: Result<Caller<ReadInvoices>, Problem>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::read(pairs, true)?;
    let invoice = visible(&api, invoice_id, asked.token.as_deref(), caller).await?;
    respond(&invoice, &headers, |symbol| {
        let picture = symbol.png_of(asked.size).map_err(Problem::unforeseen)?;
        Ok(([(header::CONTENT_TYPE, "image/png")], picture).into_response())
    })
}

/// The invoice, for whoever has its token, and for its merchant. A wrong token is not made good by a key: who sends one
/// means it.
async fn visible(
    api: &Api,
    invoice_id: Uuid,
    token: Option<&str>,
    caller: Result<Caller<ReadInvoices>, Problem>,
) -> Result<Invoice, Problem> {
    let owner = match token {
        Some(token) if api.view_key.admits(invoice_id, token) => None,
        Some(_) => return Err(Problem::not_found("invoice")),
        None => Some(caller?.who),
    };
    find(api, invoice_id, owner).await
}

/// The symbol, unless the caller has it, as `shown`.
fn respond(
    invoice: &Invoice,
    headers: &HeaderMap,
    shown: impl FnOnce(&Symbol) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    let uris = payment_uris(invoice, &invoice.amount.saturating_sub(&invoice.seen));
    let Some(uri) = uris.first() else {
        return Err(Problem::new(kinds::PAYMENT_NOT_AWAITED, format!("the invoice is {}", invoice.status)));
    };
    let version = invoice.version.to_string();
    if etag::has(headers, &version) {
        return Ok(etag::not_modified(&version));
    }
    let mut response = shown(&Symbol::encode_text(&uri.value).map_err(Problem::unforeseen)?)?;
    response.headers_mut().extend(etag::etag(&version).map(|tag| (header::ETAG, tag)));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, StatusCode};
    use workflows::{domain::BaseUnits, invoices::InvoiceStatus};

    use super::*;
    use crate::invoices::body::tests::invoice;

    fn asked(has_size: bool, pairs: &[(&str, &str)]) -> Result<Asked, Problem> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Asked::read(QueryPairs(pairs), has_size)
    }

    #[test]
    fn a_picture_has_a_size_and_a_drawing_has_none() {
        assert_eq!(asked(true, &[]).unwrap().size, 300);
        for (text, size) in [("100", 100), ("1000", 1000), ("0256", 256)] {
            assert_eq!(asked(true, &[("size", text)]).unwrap().size, size);
        }
        for text in ["99", "1001", "", "-300", "+300", "3e2", "300.0"] {
            assert_eq!(asked(true, &[("size", text)]).unwrap_err().code(), "invalid_query", "{text:?}");
        }
        assert_eq!(asked(false, &[("size", "300")]).unwrap_err().code(), "invalid_query");
        assert_eq!(asked(false, &[("token", "t")]).unwrap().token.as_deref(), Some("t"));
    }

    fn status(invoice: &Invoice, tag: &'static str) -> Result<StatusCode, Problem> {
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(tag))]);
        let shown = respond(invoice, &headers, |symbol| Ok(symbol.svg().into_response()))?;
        assert_eq!(shown.headers()[header::ETAG], format!("\"{}\"", invoice.version));
        Ok(shown.status())
    }

    #[test]
    fn the_symbol_changes_with_the_invoice() {
        assert_eq!(status(&invoice(), "\"0\"").unwrap(), StatusCode::OK);
        assert_eq!(status(&invoice(), "\"1\"").unwrap(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn what_is_not_awaited_has_no_symbol() {
        let paid = Invoice { seen: invoice().amount, ..invoice() };
        let over = Invoice { status: InvoiceStatus::Expired, seen: BaseUnits::zero(), ..invoice() };
        for invoice in [paid, over] {
            assert_eq!(status(&invoice, "\"1\"").unwrap_err().code(), "payment_not_awaited");
        }
    }
}
