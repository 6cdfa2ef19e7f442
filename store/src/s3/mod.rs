//! S3: the vouchers as images, privately. Whoever may see one gets it through the API.

mod bucket;
mod error;

use aws_sdk_s3::{
    Client, config::Builder, error::ProvideErrorMetadata, operation::get_object::GetObjectError, primitives::ByteStream,
};
use uuid::Uuid;

pub use error::ImageError;

use crate::aws;
pub use crate::dynamodb::AwsSettings;

/// What the keys of vouchers begin with.
const FOLDER: &str = "vouchers/";
const PNG: &str = "image/png";
/// S3's word for an object that is there although it must not be.
const EXISTS: &str = "PreconditionFailed";

/// The bucket with the vouchers.
#[derive(Debug, Clone)]
pub struct VoucherImages {
    client: Client,
    bucket: String,
}

impl VoucherImages {
    /// A client that connects when it is first used, with credentials and region from the environment.
    pub async fn connect(settings: &AwsSettings) -> Self {
        let mut config = Builder::from(&aws::load().await);
        if let Some(url) = settings.s3_url() {
            // Other servers than AWS have no host name for each bucket.
            config = config.endpoint_url(url).force_path_style(true);
        }
        Self { client: Client::from_conf(config.build()), bucket: settings.voucher_bucket.clone() }
    }

    /// Where the voucher of a purchase is.
    pub fn key(purchase_id: Uuid) -> String {
        format!("{FOLDER}{purchase_id}.png")
    }

    /// Keeps a voucher unless it is there: the first one stays.
    pub async fn put_new(&self, purchase_id: Uuid, png: Vec<u8>) -> Result<(), ImageError> {
        let request = self.client.put_object().bucket(&self.bucket).key(Self::key(purchase_id)).if_none_match("*");
        let Err(error) = request.content_type(PNG).body(ByteStream::from(png)).send().await else {
            return Ok(());
        };
        if error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(EXISTS) {
            return Ok(());
        }
        Err(ImageError::during("keeping a voucher", error))
    }

    /// The voucher as it was kept.
    pub async fn get(&self, purchase_id: Uuid) -> Result<Option<Vec<u8>>, ImageError> {
        let operation = "reading a voucher";
        let object = match self.client.get_object().bucket(&self.bucket).key(Self::key(purchase_id)).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
            Err(error) => return Err(ImageError::during(operation, error)),
        };
        let bytes = object.body.collect().await.map_err(|error| ImageError::during(operation, error))?;
        Ok(Some(bytes.to_vec()))
    }

    /// Deletes a voucher, whether it is there or not.
    pub async fn delete(&self, purchase_id: Uuid) -> Result<(), ImageError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(Self::key(purchase_id));
        request.send().await.map_err(|error| ImageError::during("deleting a voucher", error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voucher_is_kept_under_its_purchase() {
        let key = VoucherImages::key(Uuid::nil());
        assert_eq!(key, "vouchers/00000000-0000-0000-0000-000000000000.png");
    }
}
