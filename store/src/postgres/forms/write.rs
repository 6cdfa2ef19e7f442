use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Form, FormFields};
use crate::postgres::{Database, StoreError};

/// A form to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewForm {
    /// Derived from the request: a repeat finds what the first one kept.
    pub form_id: Uuid,
    /// Its owner.
    pub merchant_id: Uuid,
    /// What it says.
    pub fields: FormFields,
    /// HMAC of the request that makes it.
    pub fingerprint: String,
}

/// What the first request under a key kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptForm {
    /// HMAC of that request.
    pub fingerprint: String,
    /// Beginning of the form.
    pub created_at: DateTime<Utc>,
}

impl Database {
    /// Keeps a form, or finds the one that has its id, whatever has become of it since.
    pub async fn insert_form(&self, new: &NewForm) -> Result<KeptForm, StoreError> {
        let failed = StoreError::during("keeping a form");
        let fields = &new.fields;
        sqlx::query!(
            "insert into invoice_form (form_id, merchant_id, coin_id, network_id, amount, title, description, checkout_url,
                 enabled, max_uses, expires_in_seconds, fingerprint, created_at, updated_at)
             values ($1, $2, $3, $4, $5::text::numeric, $6, $7, $8, $9, $10, $11, $12, now(), now())
             on conflict (form_id) do nothing",
            new.form_id,
            new.merchant_id,
            fields.coin_id.as_deref(),
            fields.network_id.as_deref(),
            fields.amount.as_deref(),
            fields.title,
            fields.description,
            fields.checkout_url,
            fields.enabled,
            fields.max_uses,
            fields.expires_in_seconds,
            new.fingerprint,
        )
        .execute(&self.pool)
        .await
        .map_err(&failed)?;
        sqlx::query_as!(KeptForm, "select fingerprint, created_at from invoice_form where form_id = $1", new.form_id)
            .fetch_one(&self.pool)
            .await
            .map_err(failed)
    }

    /// What the first request kept under the id of a form, whatever has become of it since.
    pub async fn find_kept_form(&self, form_id: Uuid) -> Result<Option<KeptForm>, StoreError> {
        sqlx::query_as!(KeptForm, "select fingerprint, created_at from invoice_form where form_id = $1", form_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::during("finding a kept form"))
    }

    /// Lets a form say something else. None when it is no longer as `form` was read.
    pub async fn change_form(&self, form: &Form, fields: &FormFields) -> Result<Option<Form>, StoreError> {
        let changed = sqlx::query!(
            "update invoice_form
             set coin_id = $3, network_id = $4, amount = $5::text::numeric, title = $6, description = $7,
                 checkout_url = $8, enabled = $9, max_uses = $10, expires_in_seconds = $11, updated_at = now(),
                 version = version + 1, fields_version = fields_version + $12::bigint
             where form_id = $1 and version = $2 and deleted_at is null
             returning version, fields_version, updated_at",
            form.form_id,
            form.version,
            fields.coin_id.as_deref(),
            fields.network_id.as_deref(),
            fields.amount.as_deref(),
            fields.title,
            fields.description,
            fields.checkout_url,
            fields.enabled,
            fields.max_uses,
            fields.expires_in_seconds,
            i64::from(!form.fields.looks_like(fields)),
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("changing a form"))?;
        Ok(changed.map(|row| Form {
            fields: fields.clone(),
            version: row.version,
            fields_version: row.fields_version,
            updated_at: row.updated_at,
            ..form.clone()
        }))
    }

    /// Deletes a merchant's form; its invoices stay. False when he has none with this id.
    pub async fn delete_form(&self, form_id: Uuid, merchant_id: Uuid) -> Result<bool, StoreError> {
        let deleted = sqlx::query!(
            "update invoice_form set deleted_at = now() where form_id = $1 and merchant_id = $2 and deleted_at is null",
            form_id,
            merchant_id,
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("deleting a form"))?;
        Ok(deleted.rows_affected() == 1)
    }
}
