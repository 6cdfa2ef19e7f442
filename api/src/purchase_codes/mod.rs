//! Purchase codes over HTTP: one endpoint a file.

mod body;
mod check;
pub(crate) mod download;
pub(crate) mod issue;
pub(crate) mod page;
mod path;
mod policy;
mod qr;
pub(crate) mod read;
mod records;
mod refusal;
pub(crate) mod scan;
pub(crate) mod valid;
mod voucher;

use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use store::{
    dynamodb::{PurchaseTables, TableError},
    s3::{ImageError, VoucherImages},
};
use tokio::sync::Semaphore;
use uuid::Uuid;
use workflows::purchase_codes::{CodeStatus, Purchase};

pub(crate) use policy::PurchaseSettings;
pub(crate) use records::Records;
pub(crate) use voucher::VoucherSettings;

use crate::{
    auth::PurchaseReader,
    etag,
    problem::{Problem, kinds},
    queue::Queues,
    state::Services,
};
use body::PurchaseBody;
use path::PurchasePath;
use voucher::Artist;

/// What the routes of purchase codes need beside the rest.
pub(crate) struct PurchaseCodes {
    tables: PurchaseTables,
    images: VoucherImages,
    settings: PurchaseSettings,
    /// Where the addresses that codes hold lead to.
    host: String,
    artist: Arc<Artist>,
    /// How many vouchers may be drawn at once: drawing takes a whole processor.
    drawing: Arc<Semaphore>,
    /// Scans of one loan come one after the other.
    scans: Queues,
}

impl PurchaseCodes {
    /// Reads the brand's files; calls nobody.
    pub(crate) fn new(
        records: Records,
        settings: PurchaseSettings,
        vouchers: &VoucherSettings,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            tables: records.tables,
            images: records.images,
            host: vouchers.host().to_owned(),
            artist: Arc::new(Artist::new(vouchers, settings.offset())?),
            drawing: Arc::new(Semaphore::new(vouchers.at_once())),
            scans: Queues::new(1),
            settings,
        })
    }

    /// Whether the tables answer.
    pub(crate) async fn ping_tables(&self) -> Result<(), TableError> {
        self.tables.ping().await
    }

    /// Whether the bucket answers, to a question for a voucher that nobody has.
    pub(crate) async fn ping_images(&self) -> Result<(), ImageError> {
        self.images.get(Uuid::nil()).await.map(|_nothing| ())
    }

    /// The purchase under this path, if the reader may see it. Another's is not there.
    async fn find(&self, path: &PurchasePath, reader: &PurchaseReader) -> Result<Purchase, Problem> {
        let purchase = self.tables.find_by_code(&path.code).await?;
        let visible = purchase.filter(|purchase| purchase.credit_line_id == path.id && may_see(reader, purchase));
        visible.ok_or_else(|| Problem::not_found("purchase"))
    }

    /// A purchase with its version, where its code stands at `state`.
    fn respond(&self, status: StatusCode, purchase: &Purchase, state: CodeStatus) -> Result<Response, Problem> {
        let body = PurchaseBody::new(purchase, state, &self.host)?;
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().extend(etag::etag(&version(purchase, state)).map(|tag| (header::ETAG, tag)));
        Ok(response)
    }
}

impl Services {
    /// What the routes of purchase codes need, where they are served.
    fn purchase_codes(&self) -> Result<&PurchaseCodes, Problem> {
        let codes = self.purchase_codes.as_ref();
        codes.ok_or_else(|| Problem::new(kinds::NOT_FOUND, "purchase codes are not served here"))
    }
}

fn may_see(reader: &PurchaseReader, purchase: &Purchase) -> bool {
    match reader {
        PurchaseReader::Frontend(principal) => *principal == purchase.frontend,
        PurchaseReader::Provider(provider) => *provider == purchase.provider,
    }
}

/// Where a code stands at `now`, though nobody may have noted its end yet.
fn state_at(purchase: &Purchase, now: DateTime<Utc>) -> CodeStatus {
    match purchase.status {
        CodeStatus::Generado if purchase.expires_at <= now => CodeStatus::Vencido,
        status => status,
    }
}

/// Changes with whatever is shown of a purchase: time alone ends a code.
fn version(purchase: &Purchase, state: CodeStatus) -> String {
    format!("{}-{state}", purchase.version)
}

/// The address of a purchase.
fn location(purchase: &Purchase) -> Result<HeaderValue, Problem> {
    let (id, code) = (path::segment(&purchase.credit_line_id), path::segment(purchase.code.expose()));
    HeaderValue::from_str(&format!("/credit-lines/{id}/purchases/{code}")).map_err(Problem::unforeseen)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};
    use workflows::domain::{Confidential, Currency, Money};

    use super::*;

    pub(super) const CODE: &str = "7K3M9QX2VD4T8B5N1RWZA";

    /// 1250.00 MXN, issued and not used.
    pub(super) fn purchase() -> Purchase {
        let at = DateTime::from_timestamp_millis(1_767_225_600_120).unwrap();
        Purchase {
            purchase_id: Uuid::from_u128(1),
            frontend: "frontend:app".to_owned(),
            client_id: "C-1".to_owned(),
            credit_line_id: "CL-1".to_owned(),
            loan_account_id: "LN-1".to_owned(),
            provider: "P-1".to_owned(),
            amount: Money { minor: 125_000, currency: Currency::parse("MXN").unwrap() },
            code: Confidential::new(CODE.to_owned()),
            status: CodeStatus::Generado,
            first_payment_date: NaiveDate::from_ymd_opt(2026, 1, 31).unwrap(),
            expires_at: at + TimeDelta::hours(72),
            created_at: at,
            updated_at: at,
            version: 1,
            fingerprint: String::new(),
            cause: String::new(),
            transaction_id: "174".to_owned(),
            image_url: None,
        }
    }

    #[test]
    fn time_alone_ends_a_code() {
        let purchase = purchase();
        let end = purchase.expires_at;
        assert_eq!(state_at(&purchase, end - TimeDelta::milliseconds(1)), CodeStatus::Generado);
        assert_eq!(state_at(&purchase, end), CodeStatus::Vencido);
        assert_ne!(version(&purchase, CodeStatus::Generado), version(&purchase, CodeStatus::Vencido));
        let used = Purchase { status: CodeStatus::Usado, ..purchase };
        assert_eq!(state_at(&used, end), CodeStatus::Usado);
    }

    #[test]
    fn a_purchase_is_its_frontends_and_its_providers() {
        let sees = |reader| may_see(&reader, &purchase());
        assert!(sees(PurchaseReader::Frontend("frontend:app".to_owned())));
        assert!(sees(PurchaseReader::Provider("P-1".to_owned())));
        assert!(!sees(PurchaseReader::Frontend("frontend:other".to_owned())));
        assert!(!sees(PurchaseReader::Provider("P-2".to_owned())));
        assert!(!sees(PurchaseReader::Provider("frontend:app".to_owned())));
    }

    #[test]
    fn an_address_is_one_part_for_each_name() {
        let purchase = Purchase { credit_line_id: "CL%?#1".to_owned(), ..purchase() };
        assert_eq!(location(&purchase).unwrap(), format!("/credit-lines/CL%25%3F%231/purchases/{CODE}"));
    }
}
