use chrono::{DateTime, Utc};
use uuid::Uuid;
use workflows::purchase_codes::CodeStatus;

use super::{
    PurchaseTables, TableError,
    change::Change,
    item::{self, IMAGE_URL},
};
use crate::s3::VoucherImages;

const NOTING: &str = "noting a voucher";

impl PurchaseTables {
    /// Notes where the voucher is. False when the code is over: then the voucher must not stay.
    pub async fn note_image(&self, purchase_id: Uuid, now: DateTime<Utc>) -> Result<bool, TableError> {
        let change = Change::when("#status = :live AND #expirationDateTime > :now")
            .comparing("live", item::text(CodeStatus::Generado.as_str()))
            .comparing("now", item::time(now))
            .set(IMAGE_URL, item::text(VoucherImages::key(purchase_id)));
        self.change(NOTING, &self.names.purchases, item::purchase_key(purchase_id), change).await
    }
}
