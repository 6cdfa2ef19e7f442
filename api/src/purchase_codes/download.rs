//! `GET /credit-lines/{id}/purchases/{code}/download`: the voucher as a picture. The first request draws and keeps it,
//! later ones get what was kept.

use std::{
    borrow::Cow,
    fmt::Display,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use sha2::{Digest, Sha256};
use tokio::{task::spawn_blocking, time::timeout};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{Schema, Type},
    },
};
use uuid::Uuid;
use workflows::purchase_codes::{CodeStatus, Purchase};

use super::{PurchaseCodes, path::PurchasePath, state_at};
use crate::{
    auth::{Caller, DownloadVouchers},
    etag::{self, IfNoneMatch},
    problem::{Problem, kinds},
    state::Api,
};

/// How long the bucket may take: it only saves us drawing.
const BUCKET: Duration = Duration::from_secs(2);

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// A voucher.
pub(crate) struct Voucher;

/// A voucher's file, and how long it was drawn if it was drawn now.
struct Picture {
    file: Vec<u8>,
    drawn_in: Option<Duration>,
}

impl ToSchema for Voucher {
    fn name() -> Cow<'static, str> {
        "Voucher".into()
    }
}

impl PartialSchema for Voucher {
    fn schema() -> RefOr<Schema> {
        let png = ObjectBuilder::new().schema_type(Type::String).content_media_type("image/png");
        png.description(Some("A PNG of 640 times 960 pixels")).into()
    }
}

/// Download a voucher
///
/// A picture with the code, its QR symbol, the amount and the end of the time to scan, for the client. There is none once
/// the code is over.
#[utoipa::path(
    get, path = "/credit-lines/{id}/purchases/{code}/download", operation_id = "download_purchase_voucher",
    tag = "purchase codes", security(("api_key" = ["purchases:read"])), params(PurchasePath, IfNoneMatch),
    responses(
        (status = 200, description = "The voucher", content_type = "image/png", body = Voucher,
         headers(
                ("ETag" = String, description = "Changes with the picture"),
                ("Server-Timing" = String, description = "How long it was drawn, if it was drawn now"),
            )),
        (status = 304, description = "The caller has this picture", headers(("ETag" = String, description = "Its version"))),
    ),
    extensions(("x-problems" = json!([kinds::CODE_EXPIRED.code]))),
)]
pub(crate) async fn download(
    State(api): State<Api>,
    caller: Caller<DownloadVouchers>,
    path: PurchasePath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let codes = api.purchase_codes()?;
    let purchase = codes.find(&path, &caller.who).await?;
    let Picture { file, drawn_in } = Box::pin(picture(codes, purchase, api.engine.deadline())).await?;
    let version = hex::encode(&Sha256::digest(&file)[..16]);
    if etag::has(&headers, &version) {
        return Ok(etag::not_modified(&version));
    }
    let head = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"codigo-de-compra.png\""),
    ];
    let mut response = (head, file).into_response();
    response.headers_mut().extend(drawn_in.and_then(timing).map(|timing| (SERVER_TIMING, timing)));
    response.headers_mut().extend(etag::etag(&version).map(|tag| (header::ETAG, tag)));
    Ok(response)
}

/// As browsers show it beside the request: <https://www.w3.org/TR/server-timing/>, in milliseconds.
fn timing(drawn_in: Duration) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("draw;dur={}.{:03}", drawn_in.as_millis(), drawn_in.subsec_micros() % 1000)).ok()
}

async fn picture(codes: &PurchaseCodes, purchase: Purchase, patience: Duration) -> Result<Picture, Problem> {
    let (id, state) = (purchase.purchase_id, state_at(&purchase, Utc::now()));
    if state != CodeStatus::Generado {
        return Err(over(state));
    }
    if purchase.image_url.is_some()
        && let Some(file) = bucket(codes.images.get(id)).await.flatten()
    {
        return Ok(Picture { file, drawn_in: None });
    }
    let picture = draw(codes, purchase, patience).await?;
    Box::pin(keep(codes, id, &picture.file)).await?;
    Ok(picture)
}

/// On a thread of its own, and only so many at once.
async fn draw(codes: &PurchaseCodes, purchase: Purchase, patience: Duration) -> Result<Picture, Problem> {
    let place = timeout(patience, Arc::clone(&codes.drawing).acquire_owned()).await;
    let busy = |_elapsed| Problem::temporarily_unavailable("too many vouchers are being drawn");
    let place = place.map_err(busy)?.map_err(Problem::unforeseen)?;
    let artist = Arc::clone(&codes.artist);
    let drawing = spawn_blocking(move || {
        let began = Instant::now();
        let drawn = artist.draw(&purchase);
        drop(place);
        drawn.map(|file| Picture { file, drawn_in: Some(began.elapsed()) })
    });
    drawing.await.map_err(Problem::unforeseen)?.map_err(Problem::unforeseen)
}

/// Keeps the picture for the next time, unless the code has ended meanwhile. What ends a code deletes its picture soon
/// after: one that comes later still is deleted here.
async fn keep(codes: &PurchaseCodes, id: Uuid, picture: &[u8]) -> Result<(), Problem> {
    if Box::pin(bucket(codes.images.put_new(id, picture.to_vec()))).await.is_none() {
        return Ok(());
    }
    match codes.tables.note_image(id, Utc::now()).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            bucket(codes.images.delete(id)).await;
            let purchase = codes.tables.find(id).await?;
            Err(over(purchase.map_or(CodeStatus::Vencido, |purchase| state_at(&purchase, Utc::now()))))
        }
        Err(error) => {
            tracing::warn!(purchase_id = %id, %error, "api.voucher.not_noted");
            Ok(())
        }
    }
}

/// What the bucket answers; nothing when it does not, which is no reason to give up.
async fn bucket<T, E: Display>(answer: impl Future<Output = Result<T, E>>) -> Option<T> {
    match timeout(BUCKET, answer).await {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(error)) => tracing::warn!(%error, "api.vouchers.unreachable"),
        Err(_elapsed) => tracing::warn!(error = "no answer in time", "api.vouchers.unreachable"),
    }
    None
}

fn over(state: CodeStatus) -> Problem {
    let detail = if state == CodeStatus::Usado { "the code was used" } else { "the code has expired" };
    Problem::new(kinds::CODE_EXPIRED, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_says_how_the_code_ended() {
        let said = |state| format!("{:?}", over(state));
        assert!(said(CodeStatus::Usado).contains("was used") && said(CodeStatus::Vencido).contains("has expired"));
        assert_eq!(over(CodeStatus::Vencido).code(), "code_expired");
    }

    #[test]
    fn a_drawing_is_timed_in_milliseconds() {
        assert_eq!(timing(Duration::from_micros(9_070)).unwrap(), "draw;dur=9.070");
    }

    #[tokio::test]
    async fn a_bucket_that_is_away_answers_nothing() {
        assert_eq!(bucket(async { Ok::<_, String>(7) }).await, Some(7));
        assert_eq!(bucket(async { Err::<u8, _>("away") }).await, None);
    }
}
