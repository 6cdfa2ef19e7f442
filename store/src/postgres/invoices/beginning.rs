//! How an invoice began: what its first event shows, so that the log alone tells what the invoice is.

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use workflows::{contracts::invoice_ledger::CreateInvoice, domain::BaseUnits};

use crate::postgres::database::SECOND_DIGITS;

/// Everything of an invoice that never changes, but for the fingerprint of its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beginning {
    pub(super) invoice_id: Uuid,
    pub(super) merchant_id: Uuid,
    pub(super) form_id: Option<Uuid>,
    pub(super) coin_id: String,
    pub(super) network_id: String,
    pub(super) contract: Option<String>,
    /// In base units.
    pub(super) amount: BaseUnits,
    pub(super) decimals: u8,
    /// Empty until an address is claimed.
    pub(super) deposit_address: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) checkout_url: String,
    pub(super) external_id: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

impl Beginning {
    /// Of an invoice that has no address yet: the statement that claims one adds it.
    pub(super) fn without_address(create: &CreateInvoice, expires_at: DateTime<Utc>) -> Self {
        let request = &create.request;
        Self {
            invoice_id: request.invoice_id,
            merchant_id: request.merchant_id,
            form_id: request.form_id,
            coin_id: request.coin_id.clone(),
            network_id: request.network_id.clone(),
            contract: request.contract.clone(),
            amount: request.amount.clone(),
            decimals: request.decimals,
            deposit_address: String::new(),
            title: request.title.clone(),
            description: request.description.clone(),
            checkout_url: request.checkout_url.clone(),
            external_id: request.external_id.clone(),
            created_at: create.now.trunc_subsecs(SECOND_DIGITS),
            expires_at: expires_at.trunc_subsecs(SECOND_DIGITS),
        }
    }
}
