use crate::aws::Cause;

/// S3 did not answer, or said no.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed in S3")]
pub struct ImageError {
    operation: &'static str,
    #[source]
    source: Cause,
}

impl ImageError {
    /// Names the operation that met an error of AWS's client.
    pub(super) fn during(operation: &'static str, source: impl Into<Cause>) -> Self {
        Self { operation, source: source.into() }
    }
}
