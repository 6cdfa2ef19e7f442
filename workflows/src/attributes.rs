//! The search attributes that operators filter by. They are stored in clear: nothing personal goes in.

use temporalio_common::search_attributes::{SearchAttributeKey, Timestamp};

/// Status of the process in the words of its source document.
pub const BUSINESS_STATUS: SearchAttributeKey<String> = SearchAttributeKey::keyword("BusinessStatus");
/// The process's own id.
pub const BUSINESS_KEY: SearchAttributeKey<String> = SearchAttributeKey::keyword("BusinessKey");
/// Merchant that owns the process.
pub const MERCHANT_ID: SearchAttributeKey<String> = SearchAttributeKey::keyword("MerchantId");
/// Loan that is disbursed.
pub const LOAN_ACCOUNT_ID: SearchAttributeKey<String> = SearchAttributeKey::keyword("LoanAccountId");
/// Machine that sells.
pub const MACHINE_ID: SearchAttributeKey<String> = SearchAttributeKey::keyword("MachineId");
/// Gift that is redeemed.
pub const GIFT_ID: SearchAttributeKey<String> = SearchAttributeKey::keyword("GiftId");
/// When the process expires by itself.
pub const EXPIRES_AT: SearchAttributeKey<Timestamp> = SearchAttributeKey::datetime("ExpiresAt");
/// Set while a step that has no end to its retries keeps failing, or something else needs a person.
pub const NEEDS_ATTENTION: SearchAttributeKey<bool> = SearchAttributeKey::bool("NeedsAttention");

/// Every attribute with its Temporal type, as a namespace has to register them.
pub const REGISTRY: [(&str, &str); 8] = [
    ("BusinessStatus", "Keyword"),
    ("BusinessKey", "Keyword"),
    ("MerchantId", "Keyword"),
    ("LoanAccountId", "Keyword"),
    ("MachineId", "Keyword"),
    ("GiftId", "Keyword"),
    ("ExpiresAt", "Datetime"),
    ("NeedsAttention", "Bool"),
];
