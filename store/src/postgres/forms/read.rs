use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::{Database, StoreError};

/// What a merchant says in a form. What is none is for the buyer to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFields {
    /// Coin, as in the catalogue.
    pub coin_id: Option<String>,
    /// Network, as in the catalogue.
    pub network_id: Option<String>,
    /// Plain decimal of whatever coin it will be.
    pub amount: Option<String>,
    /// Shown to the buyer, also of each invoice.
    pub title: String,
    /// Shown to the buyer, also of each invoice.
    pub description: String,
    /// Where the buyer goes after paying.
    pub checkout_url: String,
    /// Whether it can be submitted.
    pub enabled: bool,
    /// How many invoices it may make.
    pub max_uses: Option<i64>,
    /// Time to pay of each invoice.
    pub expires_in_seconds: i64,
}

impl FormFields {
    /// Whether a buyer is shown the same before he submits it.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let is_same_money =
            self.coin_id == other.coin_id && self.network_id == other.network_id && self.amount == other.amount;
        is_same_money && self.title == other.title && self.description == other.description
    }
}

/// A form as its merchant sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its id.
    pub form_id: Uuid,
    /// Its owner, and that of its invoices.
    pub merchant_id: Uuid,
    /// What it says.
    pub fields: FormFields,
    /// Invoices that it has made; as buyers read it no more of them than it takes to know whether it is used up.
    pub uses: i64,
    /// Grows with every change.
    pub version: i64,
    /// Grows with every change that a buyer is shown.
    pub fields_version: i64,
    /// Beginning.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

impl Form {
    /// Whether buyers are shown the form: it is on, and not used up.
    pub fn is_open(&self) -> bool {
        self.fields.enabled && self.fields.max_uses.is_none_or(|most| self.uses < most)
    }
}

/// A place in a list: the last form that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Its beginning.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub form_id: Uuid,
}

struct Row {
    form_id: Uuid,
    merchant_id: Uuid,
    coin_id: Option<String>,
    network_id: Option<String>,
    amount: Option<String>,
    title: String,
    description: String,
    checkout_url: String,
    enabled: bool,
    max_uses: Option<i64>,
    expires_in_seconds: i64,
    uses: i64,
    version: i64,
    fields_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Database {
    /// A form as its merchant reads it, with all of its uses, unless it was deleted.
    pub async fn find_form(&self, form_id: Uuid) -> Result<Option<Form>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select f.form_id, f.merchant_id, f.coin_id, f.network_id, f.amount::text as "amount?", f.title,
                      f.description, f.checkout_url, f.enabled, f.max_uses, f.expires_in_seconds,
                      (select count(*) from form_submission s join invoice i on i.invoice_id = s.invoice_id
                       where s.form_id = f.form_id) as "uses!",
                      f.version, f.fields_version, f.created_at, f.updated_at
               from invoice_form f where f.form_id = $1 and f.deleted_at is null"#,
            form_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding a form"))?;
        Ok(row.map(Form::from))
    }

    /// A form as buyers read it, unless it was deleted: anyone may do so as often as he likes, however many invoices
    /// there are of it.
    pub async fn find_form_for_buyer(&self, form_id: Uuid) -> Result<Option<Form>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select f.form_id, f.merchant_id, f.coin_id, f.network_id, f.amount::text as "amount?", f.title,
                      f.description, f.checkout_url, f.enabled, f.max_uses, f.expires_in_seconds,
                      case when f.max_uses is null then 0 else (
                          select count(*) from (
                              select 1 from form_submission s join invoice i on i.invoice_id = s.invoice_id
                              where s.form_id = f.form_id limit f.max_uses
                          ) use
                      ) end as "uses!",
                      f.version, f.fields_version, f.created_at, f.updated_at
               from invoice_form f where f.form_id = $1 and f.deleted_at is null"#,
            form_id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("finding a form for a buyer"))?;
        Ok(row.map(Form::from))
    }

    /// Up to `limit` forms of a merchant, newest first, that come after `after`.
    pub async fn list_forms(
        &self,
        merchant_id: Uuid,
        after: Option<Position>,
        limit: i64,
    ) -> Result<Vec<Form>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select f.form_id, f.merchant_id, f.coin_id, f.network_id, f.amount::text as "amount?", f.title,
                      f.description, f.checkout_url, f.enabled, f.max_uses, f.expires_in_seconds,
                      (select count(*) from form_submission s join invoice i on i.invoice_id = s.invoice_id
                       where s.form_id = f.form_id) as "uses!",
                      f.version, f.fields_version, f.created_at, f.updated_at
               from invoice_form f
               where f.merchant_id = $1 and f.deleted_at is null
                 and ($2::timestamptz is null or (f.created_at, f.form_id) < ($2, $3))
               order by f.created_at desc, f.form_id desc limit $4"#,
            merchant_id,
            after.map(|position| position.created_at),
            after.map(|position| position.form_id),
            limit,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during("listing forms"))?;
        Ok(rows.into_iter().map(Form::from).collect())
    }
}

impl From<Row> for Form {
    fn from(row: Row) -> Self {
        Self {
            form_id: row.form_id,
            merchant_id: row.merchant_id,
            fields: FormFields {
                coin_id: row.coin_id,
                network_id: row.network_id,
                amount: row.amount,
                title: row.title,
                description: row.description,
                checkout_url: row.checkout_url,
                enabled: row.enabled,
                max_uses: row.max_uses,
                expires_in_seconds: row.expires_in_seconds,
            },
            uses: row.uses,
            version: row.version,
            fields_version: row.fields_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let at = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let fields = FormFields {
            coin_id: Some("usdt".to_owned()),
            network_id: None,
            amount: None,
            title: "Donations".to_owned(),
            description: String::new(),
            checkout_url: String::new(),
            enabled: true,
            max_uses: Some(2),
            expires_in_seconds: 900,
        };
        let (form_id, merchant_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        Form { form_id, merchant_id, fields, uses: 1, version: 1, fields_version: 1, created_at: at, updated_at: at }
    }

    #[test]
    fn a_form_is_open_while_it_is_on_and_not_used_up() {
        assert!(form().is_open());
        assert!(!Form { uses: 2, ..form() }.is_open());
        assert!(!Form { fields: FormFields { enabled: false, ..form().fields }, ..form() }.is_open());
        let unlimited = FormFields { max_uses: None, ..form().fields };
        assert!(Form { fields: unlimited, uses: i64::MAX, ..form() }.is_open());
    }

    #[test]
    fn only_what_buyers_are_shown_makes_a_form_look_otherwise() {
        let fields = form().fields;
        let amount = Some("5".to_owned());
        assert!(!fields.looks_like(&FormFields { amount, ..fields.clone() }));
        assert!(!fields.looks_like(&FormFields { title: String::new(), ..fields.clone() }));
        let hidden = FormFields { checkout_url: "https://a.b".to_owned(), max_uses: None, ..fields.clone() };
        assert!(fields.looks_like(&hidden));
    }
}
