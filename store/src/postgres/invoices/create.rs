use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, types::Json};
use uuid::Uuid;
use workflows::{
    contracts::invoice_ledger::{CreateInvoice, CreateResult, FindInvoice, FoundInvoice},
    domain::BaseUnits,
    invoices::{CreatedInvoice, InvoiceException, InvoiceRequest, InvoiceStatus, OpenReply, OpenResult, Standing},
};

use super::{EVENTS_CHANNEL, beginning::Beginning};
use crate::postgres::{Database, StoreError, error::violates, numeric::to_numeric};

/// The cause of an invoice's first event.
const CAUSE: &str = "open";
/// Keys that nobody but this very invoice can have taken. The database chooses which of them a repeat meets first.
const OWN_KEYS: [&str; 3] = ["invoice_pkey", "address_assignment_pkey", "invoice_event_pkey"];

impl Database {
    /// Creates an invoice on a free address of the merchant, or on the new address that comes with the request.
    /// A repeat finds what the first one made.
    pub async fn create_invoice(&self, create: CreateInvoice) -> Result<CreateResult, StoreError> {
        let expires_at = create.now + create.policy.expires_in;
        let inserted = match &create.address {
            None => insert(&self.pool, &create, expires_at).await,
            Some(address) => self.insert_on_new_address(&create, address, expires_at).await,
        };
        match inserted {
            Ok(Some(deposit_address)) => Ok(created(&create, deposit_address, expires_at)),
            Ok(None) => self.without_address(&create).await,
            Err(error) if OWN_KEYS.iter().any(|key| violates(&error, key)) => self.without_address(&create).await,
            Err(error) if violates(&error, "invoice_merchant_id_external_id_key") => {
                self.external_id_taken(&create).await
            }
            Err(source) => Err(StoreError::during("creating an invoice")(source)),
        }
    }

    /// Nobody else can claim the address before this transaction ends.
    async fn insert_on_new_address(
        &self,
        create: &CreateInvoice,
        address: &str,
        expires_at: DateTime<Utc>,
    ) -> Result<Option<String>, sqlx::Error> {
        let mut transaction = self.transaction().await?;
        sqlx::query!(
            "insert into deposit_address (address_id, network_id, address, user_id, available_at)
             values ($1, $2, $3, $4, $5) on conflict (network_id, address) do nothing",
            Uuid::now_v7(),
            create.request.network_id,
            address,
            create.request.merchant_id,
            create.now,
        )
        .execute(&mut *transaction)
        .await?;
        let inserted = insert(&mut *transaction, create, expires_at).await?;
        transaction.commit().await?;
        Ok(inserted)
    }

    /// No address could be claimed: because the invoice exists already, or because there is none.
    async fn without_address(&self, create: &CreateInvoice) -> Result<CreateResult, StoreError> {
        let find = FindInvoice { invoice_id: create.request.invoice_id, now: create.now };
        Ok(match self.find_created_invoice(&find).await? {
            Some(FoundInvoice { reply, standing }) => CreateResult::Answered { reply, standing: Some(standing) },
            None if create.address.is_some() => CreateResult::AddressTaken,
            None => CreateResult::NoFreeAddress,
        })
    }

    /// The invoice as its creation was answered, and where it stands; none where it was not created.
    pub async fn find_created_invoice(&self, find: &FindInvoice) -> Result<Option<FoundInvoice>, StoreError> {
        let Some(invoice) = self.find_invoice(find.invoice_id).await? else {
            return Ok(None);
        };
        let standing = self.invoice_standing(invoice.invoice_id, find.now).await?;
        let result = OpenResult::Created(CreatedInvoice {
            deposit_address: invoice.deposit_address,
            created_at: invoice.created_at,
            expires_at: invoice.expires_at,
        });
        Ok(Some(FoundInvoice { reply: OpenReply { fingerprint: invoice.fingerprint, result }, standing }))
    }

    /// The merchant's id is taken: by another invoice, or by this very one when it is created twice at once.
    async fn external_id_taken(&self, create: &CreateInvoice) -> Result<CreateResult, StoreError> {
        let request = &create.request;
        let invoice_id = sqlx::query_scalar!(
            "select invoice_id from invoice where merchant_id = $1 and external_id = $2",
            request.merchant_id,
            request.external_id.as_deref(),
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::during("finding an invoice by its external id"))?;
        if invoice_id == request.invoice_id {
            return self.without_address(create).await;
        }
        let result = OpenResult::ExternalIdTaken { invoice_id };
        Ok(CreateResult::Answered {
            reply: OpenReply { fingerprint: request.fingerprint.clone(), result },
            standing: None,
        })
    }
}

/// Claims an address and writes the invoice, its assignment and its first event in one statement. The claim changes the
/// very row that it locks, so that no two statements see the same address free.
async fn insert(
    executor: impl PgExecutor<'_>,
    create: &CreateInvoice,
    expires_at: DateTime<Utc>,
) -> Result<Option<String>, sqlx::Error> {
    let CreateInvoice { request, policy, address, now } = create;
    let claimed = sqlx::query!(
        r#"with claimed as (
            update deposit_address set available_at = 'infinity'
            where address_id = (
                select address_id from deposit_address
                where user_id = $2 and network_id = $4 and available_at <= $14 and address = coalesce($18, address)
                order by available_at limit 1
                for update skip locked
            )
            returning address_id, address
        ), created as (
            insert into invoice (invoice_id, merchant_id, coin_id, network_id, deposit_address_id, amount, decimals,
                contract, title, description, checkout_url, external_id, status, policy, fingerprint, created_at,
                updated_at, expires_at, form_id)
            select $1, $2, $3, $4, address_id, $5, $6, $7, $8, $9, $10, $11, 'waiting_for_deposit', $12, $13, $14, $14,
                $15, $19
            from claimed
        ), assigned as (
            insert into address_assignment (address_id, invoice_id, assigned_at)
            select address_id, $1, $14 from claimed
        ), logged as (
            insert into invoice_event (invoice_id, sequence, at, to_status, exception, seen, confirmed, cause, actor,
                evidence)
            select $1, 1, $14, 'waiting_for_deposit', 'none', 0, 0, $16, $17,
                jsonb_build_object('invoice', $20::jsonb || jsonb_build_object('deposit_address', address))
            from claimed
        )
        select address as "address!", pg_notify($21, $1::uuid::text) from claimed"#,
        request.invoice_id,
        request.merchant_id,
        request.coin_id,
        request.network_id,
        to_numeric(&request.amount),
        i16::from(request.decimals),
        request.contract.as_deref(),
        request.title,
        request.description,
        request.checkout_url,
        request.external_id.as_deref(),
        Json(policy) as _,
        request.fingerprint,
        now,
        expires_at,
        CAUSE,
        actor(request),
        address.as_deref(),
        request.form_id,
        Json(Beginning::without_address(create, expires_at)) as _,
        EVENTS_CHANNEL,
    )
    .fetch_optional(executor)
    .await?;
    Ok(claimed.map(|claimed| claimed.address))
}

/// Who asked for the invoice.
fn actor(request: &InvoiceRequest) -> String {
    match request.form_id {
        Some(form_id) => format!("form:{form_id}"),
        None => format!("merchant:{}", request.merchant_id),
    }
}

fn created(create: &CreateInvoice, deposit_address: String, expires_at: DateTime<Utc>) -> CreateResult {
    let result = OpenResult::Created(CreatedInvoice { deposit_address, created_at: create.now, expires_at });
    let standing = Standing {
        status: InvoiceStatus::WaitingForDeposit,
        exception: InvoiceException::None,
        seen: BaseUnits::zero(),
        confirmed: BaseUnits::zero(),
        late: BaseUnits::zero(),
        version: 1,
        updated_at: create.now,
        cause: CAUSE.to_owned(),
        deposit_revision: 0,
        credit_due: false,
        wake_at: Some(expires_at),
    };
    CreateResult::Answered {
        reply: OpenReply { fingerprint: create.request.fingerprint.clone(), result },
        standing: Some(standing),
    }
}
