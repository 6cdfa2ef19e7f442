use aws_sdk_s3::{
    operation::create_bucket::CreateBucketError,
    types::{
        BucketLifecycleConfiguration, BucketLocationConstraint, CreateBucketConfiguration, ExpirationStatus,
        LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    },
};

use super::{FOLDER, ImageError, VoucherImages};

const CREATING: &str = "creating the bucket";
/// The region that S3 does not want to hear.
const NAMELESS: &str = "us-east-1";
/// What no process deleted is deleted by S3. One that is still asked for is drawn anew.
const NET_DAYS: i32 = 90;

impl VoucherImages {
    /// Creates the bucket unless it is there, with a rule that deletes what was forgotten. It is private, as all are.
    pub async fn create_bucket(&self) -> Result<(), ImageError> {
        let region = self.client.config().region().map(|region| region.as_ref().to_owned());
        let elsewhere = region.filter(|region| region != NAMELESS).map(|region| {
            let place = BucketLocationConstraint::from(region.as_str());
            CreateBucketConfiguration::builder().location_constraint(place).build()
        });
        let request = self.client.create_bucket().bucket(&self.bucket).set_create_bucket_configuration(elsewhere);
        if let Err(error) = request.send().await {
            let is_ours = error.as_service_error().is_some_and(CreateBucketError::is_bucket_already_owned_by_you);
            if !is_ours {
                return Err(ImageError::during(CREATING, error));
            }
        }
        self.set_net().await
    }

    async fn set_net(&self) -> Result<(), ImageError> {
        let rule = LifecycleRule::builder()
            .id("forgotten vouchers")
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(FOLDER).build())
            .expiration(LifecycleExpiration::builder().days(NET_DAYS).build())
            .build()
            .map_err(|error| ImageError::during(CREATING, error))?;
        let rules = BucketLifecycleConfiguration::builder().rules(rule).build();
        let rules = rules.map_err(|error| ImageError::during(CREATING, error))?;
        let request = self.client.put_bucket_lifecycle_configuration().bucket(&self.bucket);
        let sent = request.lifecycle_configuration(rules).send().await;
        sent.map_err(|error| ImageError::during(CREATING, error))?;
        Ok(())
    }
}
