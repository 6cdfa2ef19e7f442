//! Every route on one page.

use std::{mem, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode},
    middleware,
    routing::post,
};
use temporal::Codec;
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer};
use utoipa::openapi::{Deprecated, OpenApi};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

use crate::{
    codec, cors, deposits, forms, fridge_sales, gifts, health, invoices, linger,
    openapi::{self, docs, publish},
    payment_options, privacy,
    problem::{self, Problem, kinds},
    purchase_codes, rate_limit, request_log,
    state::Api,
};

/// How long a handler may take. Those that wait for a process have a deadline of their own, which is shorter.
const HANDLER: Duration = Duration::from_secs(30);
const BODY: usize = 64 * 1024;
/// Temporal's UI sends the payloads of a whole page of a history at once.
const CODEC_BODY: usize = 4 * 1024 * 1024;

/// The routes of the API.
pub(crate) fn router(api: Api, ui_origins: &[HeaderValue]) -> Router {
    let own = limited(own_routes(ui_origins), &api).merge(notification_routes()).merge(health_routes());
    let own = own.fallback(nothing);
    let own = serve(own, None, Arc::clone(&api));
    let public = serve(limited(public_routes(), &api), Some(cors::public()), Arc::clone(&api));
    let submitted = limited(public_form_routes(), &api);
    own.merge(public).merge(serve(submitted, Some(cors::public_form()), api))
}

/// What the routes say of themselves.
pub(crate) fn document() -> OpenApi {
    let limited = own_routes(&[]).merge(public_routes()).merge(public_form_routes());
    limited.merge(notification_routes()).merge(health_routes()).into_openapi()
}

fn limited(routes: OpenApiRouter<Api>, api: &Api) -> OpenApiRouter<Api> {
    routes.route_layer(middleware::from_fn_with_state(Arc::clone(api), rate_limit::limit))
}

fn serve(routes: OpenApiRouter<Api>, pages: Option<CorsLayer>, api: Api) -> Router {
    let (routes, _described) = routes.split_for_parts();
    with_shared_layers(routes.with_state(api), pages)
}

fn own_routes(ui_origins: &[HeaderValue]) -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(purchase_code_routes())
        .merge(invoice_routes())
        .merge(form_routes())
        .merge(fridge_sale_routes())
        .merge(gift_routes())
        .merge(deposit_routes())
        .routes(routes!(docs::page))
        .routes(routes!(docs::asset))
        .layer(RequestBodyLimitLayer::new(BODY))
        .merge(codec_routes(ui_origins))
}

/// What pages of any origin may read.
fn public_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(invoices::qr::svg))
        .routes(routes!(invoices::qr::png))
        .routes(routes!(invoices::checkout::show))
        .routes(routes!(forms::processing::show))
        .layer(middleware::map_response(privacy::keep))
        .routes(routes!(payment_options::list))
        .routes(routes!(publish::publish))
        .layer(RequestBodyLimitLayer::new(BODY))
}

/// What pages of any origin may submit.
fn public_form_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(forms::submit::submit))
        .layer(middleware::map_response(privacy::keep))
        .layer(RequestBodyLimitLayer::new(BODY))
}

/// What another system posts at an address of ours that it alone has. Its limit is that of what it is about.
fn notification_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(fridge_sales::notify::notify))
        .layer(middleware::map_response(privacy::keep))
        .layer(RequestBodyLimitLayer::new(BODY))
}

/// Whoever asks how we are gets an answer, however much is going on.
fn health_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::version))
        .layer(RequestBodyLimitLayer::new(BODY))
}

fn purchase_code_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(purchase_codes::issue::issue))
        .routes(routes!(purchase_codes::scan::scan))
        .routes(routes!(purchase_codes::read::read))
        .routes(routes!(purchase_codes::valid::valid))
        .routes(routes!(purchase_codes::download::download))
        .routes(routes!(purchase_codes::page::page))
        // One of the two sources has the paths in the singular.
        .routes(also(routes!(purchase_codes::read::read), "/credit-line/{id}/purchase/{code}"))
        .routes(also(routes!(purchase_codes::valid::valid), "/credit-line/{id}/purchase/{code}/valid"))
        .routes(also(routes!(purchase_codes::download::download), "/credit-line/{id}/purchase/{code}/download"))
        // People type in small letters.
        .routes(also(routes!(purchase_codes::page::page), "/c/{code}"))
        .layer(middleware::map_response(privacy::keep))
}

/// The same under another path, which the document shows as deprecated.
fn also((schemas, mut paths, methods): UtoipaMethodRouter<Api>, path: &str) -> UtoipaMethodRouter<Api> {
    let mut items: Vec<_> = mem::take(&mut paths.paths).into_values().collect();
    for operation in items.iter_mut().flat_map(|item| item.get.iter_mut().chain(&mut item.post)) {
        operation.operation_id = operation.operation_id.take().map(|id| format!("{id}_by_another_path"));
        operation.deprecated = Some(Deprecated::True);
    }
    paths.paths.extend(items.into_iter().map(|item| (path.to_owned(), item)));
    (schemas, paths, methods)
}

fn invoice_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(invoices::create::create, invoices::list::list))
        .routes(routes!(invoices::export::export))
        .routes(routes!(invoices::read::read))
        .routes(routes!(invoices::events::events))
        .routes(routes!(invoices::timeline::timeline))
        .routes(routes!(invoices::cancel::cancel))
        .routes(routes!(invoices::accept_late::accept_late))
        .layer(middleware::map_response(privacy::keep))
}

fn form_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(forms::create::create, forms::list::list))
        .routes(routes!(forms::read::read, forms::change::change, forms::delete::delete))
        .layer(middleware::map_response(privacy::keep))
}

fn deposit_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(deposits::report::report, deposits::list::list))
        .routes(routes!(deposits::attach::attach))
        .layer(middleware::map_response(privacy::keep))
}

fn fridge_sale_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(fridge_sales::status::status))
        .routes(routes!(fridge_sales::open::open))
        .routes(routes!(fridge_sales::search::search))
        .routes(routes!(fridge_sales::read::read))
        // The source has the paths in the singular.
        .routes(also(routes!(fridge_sales::status::status), "/machine/{machine_id}/status"))
        .routes(also(routes!(fridge_sales::open::open), "/machine/{machine_id}/open"))
        .routes(also(routes!(fridge_sales::search::search), "/transaction/search"))
        .routes(also(routes!(fridge_sales::read::read), "/transaction/{id}"))
        .layer(middleware::map_response(privacy::keep))
}

fn gift_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(gifts::use_gift::use_gift))
        .routes(routes!(gifts::void::void))
        .layer(middleware::map_response(privacy::keep))
}

fn codec_routes(ui_origins: &[HeaderValue]) -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(codec::decode))
        .routes(routes!(codec::encode))
        .layer(RequestBodyLimitLayer::new(CODEC_BODY))
        .layer(middleware::map_response(privacy::keep))
        .layer(cors::temporal_ui(ui_origins))
}

/// The codec without a key, for a loopback port.
pub(crate) fn open_codec(codec: Codec, ui_origins: &[HeaderValue]) -> Router {
    let routes = Router::new()
        .route("/decode", post(codec::open_decode))
        .route("/encode", post(codec::open_encode))
        .layer(RequestBodyLimitLayer::new(CODEC_BODY))
        .layer(middleware::map_response(privacy::keep))
        .layer(cors::temporal_ui(ui_origins))
        .fallback(nothing)
        .with_state(codec);
    with_shared_layers(routes, None)
}

async fn nothing() -> Problem {
    Problem::new(kinds::NOT_FOUND, "there is nothing under this path")
}

/// All in one: a router boxes and clones each of its layers for each request. The `pages` that may call these routes can
/// read every refusal, also those of the layers and of the rate limit.
fn with_shared_layers(routes: Router, pages: Option<CorsLayer>) -> Router {
    let outermost_first = ServiceBuilder::new()
        .layer(middleware::map_request(linger::linger))
        .layer(middleware::from_fn(request_log::observe))
        .option_layer(pages)
        .layer(middleware::from_fn(problem::render))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, HANDLER))
        .layer(DefaultBodyLimit::disable());
    routes.layer(outermost_first)
}

#[cfg(test)]
mod tests;
