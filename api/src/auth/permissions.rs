//! What each route asks of a key: a scope, and a principal that the route can work for.

use uuid::Uuid;

use super::Principal;
use crate::problem::{Problem, kinds};

/// Something that a key may allow.
pub(crate) trait Permission: Send + Sync + 'static {
    /// The caller, as the route needs to know him.
    type Who: Send;

    /// The caller, if he may.
    fn admit(principal: &Principal, scopes: &[String]) -> Result<Self::Who, Problem>;
}

/// Create invoices: a merchant, by his id.
#[derive(Debug)]
pub(crate) struct WriteInvoices;

impl Permission for WriteInvoices {
    type Who = Uuid;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<Uuid, Problem> {
        require("invoices:write", scopes)?;
        merchant(principal)
    }
}

/// Read invoices: a merchant, by his id.
#[derive(Debug)]
pub(crate) struct ReadInvoices;

impl Permission for ReadInvoices {
    type Who = Uuid;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<Uuid, Problem> {
        require("invoices:read", scopes)?;
        merchant(principal)
    }
}

/// Make forms, read, change and delete them: a merchant, by his id.
#[derive(Debug)]
pub(crate) struct WriteForms;

impl Permission for WriteForms {
    type Who = Uuid;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<Uuid, Problem> {
        require("forms:write", scopes)?;
        merchant(principal)
    }
}

/// Cancel invoices: a merchant his own, an operator any.
#[derive(Debug)]
pub(crate) struct CancelInvoices;

/// Who cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canceller {
    /// The owner, as far as that is shown.
    Merchant(Uuid),
    /// Whoever runs this service.
    Operator,
}

impl Permission for CancelInvoices {
    type Who = Canceller;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<Canceller, Problem> {
        if let Principal::Operator(_) = principal {
            return require("operator", scopes).map(|()| Canceller::Operator);
        }
        WriteInvoices::admit(principal, scopes).map(Canceller::Merchant)
    }
}

/// Issue purchase codes: a frontend.
#[derive(Debug)]
pub(crate) struct IssuePurchases;

impl Permission for IssuePurchases {
    type Who = ();

    fn admit(principal: &Principal, scopes: &[String]) -> Result<(), Problem> {
        require("purchases:issue", scopes)?;
        frontend(principal)
    }
}

/// Use purchase codes: a device, by its provider.
#[derive(Debug)]
pub(crate) struct UsePurchases;

impl Permission for UsePurchases {
    type Who = String;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<String, Problem> {
        require("purchases:use", scopes)?;
        match principal {
            Principal::ProviderDevice { provider, .. } => Ok(provider.clone()),
            _ => Err(not_for(principal)),
        }
    }
}

/// Who reads purchases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PurchaseReader {
    /// The frontend that asked for them, as its principal is written.
    Frontend(String),
    /// The provider that they are for.
    Provider(String),
}

/// Read purchases: a frontend or a provider.
#[derive(Debug)]
pub(crate) struct ReadPurchases;

impl Permission for ReadPurchases {
    type Who = PurchaseReader;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<PurchaseReader, Problem> {
        require("purchases:read", scopes)?;
        match principal {
            Principal::Frontend(_) => Ok(PurchaseReader::Frontend(principal.to_string())),
            Principal::ProviderDevice { provider, .. } => Ok(PurchaseReader::Provider(provider.clone())),
            _ => Err(not_for(principal)),
        }
    }
}

/// Look whether a code can be used: its provider.
#[derive(Debug)]
pub(crate) struct CheckPurchases;

impl Permission for CheckPurchases {
    type Who = PurchaseReader;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<PurchaseReader, Problem> {
        let reader = ReadPurchases::admit(principal, scopes)?;
        if matches!(reader, PurchaseReader::Provider(_)) { Ok(reader) } else { Err(not_for(principal)) }
    }
}

/// Download vouchers: the frontend.
#[derive(Debug)]
pub(crate) struct DownloadVouchers;

impl Permission for DownloadVouchers {
    type Who = PurchaseReader;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<PurchaseReader, Problem> {
        let reader = ReadPurchases::admit(principal, scopes)?;
        if matches!(reader, PurchaseReader::Frontend(_)) { Ok(reader) } else { Err(not_for(principal)) }
    }
}

/// Open fridges, and ask how they are: a frontend.
#[derive(Debug)]
pub(crate) struct OpenFridges;

impl Permission for OpenFridges {
    type Who = ();

    fn admit(principal: &Principal, scopes: &[String]) -> Result<(), Problem> {
        require("fridges:open", scopes)?;
        frontend(principal)
    }
}

/// Read the sales of fridges: the frontend that started them.
#[derive(Debug)]
pub(crate) struct ReadFridges;

impl Permission for ReadFridges {
    type Who = ();

    fn admit(principal: &Principal, scopes: &[String]) -> Result<(), Problem> {
        require("fridges:read", scopes)?;
        frontend(principal)
    }
}

/// Use gifts, and undo that: a device, by its supplier.
#[derive(Debug)]
pub(crate) struct UseGifts;

impl Permission for UseGifts {
    type Who = String;

    fn admit(principal: &Principal, scopes: &[String]) -> Result<String, Problem> {
        require("gifts:use", scopes)?;
        match principal {
            Principal::ShopDevice { supplier, .. } => Ok(supplier.clone()),
            _ => Err(not_for(principal)),
        }
    }
}

/// Report deposits: a watcher.
#[derive(Debug)]
pub(crate) struct ReportDeposits;

impl Permission for ReportDeposits {
    type Who = ();

    fn admit(principal: &Principal, scopes: &[String]) -> Result<(), Problem> {
        require("deposits:report", scopes)?;
        match principal {
            Principal::Watcher(_) => Ok(()),
            _ => Err(not_for(principal)),
        }
    }
}

/// Do what only whoever runs this service may: an operator.
#[derive(Debug)]
pub(crate) struct Operate;

impl Permission for Operate {
    type Who = ();

    fn admit(principal: &Principal, scopes: &[String]) -> Result<(), Problem> {
        require("operator", scopes)?;
        match principal {
            Principal::Operator(_) => Ok(()),
            _ => Err(not_for(principal)),
        }
    }
}

fn require(scope: &str, scopes: &[String]) -> Result<(), Problem> {
    if scopes.iter().any(|held| held == scope) {
        return Ok(());
    }
    Err(Problem::new(kinds::SCOPE_MISSING, format!("this needs a key with the scope {scope}")))
}

fn merchant(principal: &Principal) -> Result<Uuid, Problem> {
    match principal {
        Principal::Merchant(id) => Ok(*id),
        _ => Err(not_for(principal)),
    }
}

fn frontend(principal: &Principal) -> Result<(), Problem> {
    match principal {
        Principal::Frontend(_) => Ok(()),
        _ => Err(not_for(principal)),
    }
}

fn not_for(principal: &Principal) -> Problem {
    Problem::new(kinds::PRINCIPAL_NOT_ALLOWED, format!("this is not for a {}", principal.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERCHANT: &str = "merchant:0190a0b0-0000-7000-8000-00000000000a";
    const FRONTEND: &str = "frontend:app";
    const TILL: &str = "provider:P-1/till-7";
    const SHOP: &str = "shop:S-1/till-1";

    fn code_of<P: Permission>(principal: &str, scopes: &[&str]) -> Option<String> {
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let refused = P::admit(&principal.parse().unwrap(), &scopes).err()?;
        Some(refused.code().to_owned())
    }

    #[test]
    fn the_scope_and_the_principal_admit() {
        assert_eq!(code_of::<WriteInvoices>(MERCHANT, &["invoices:write"]), None);
        assert_eq!(code_of::<ReadInvoices>(MERCHANT, &["invoices:read"]), None);
        assert_eq!(code_of::<WriteForms>(MERCHANT, &["forms:write"]), None);
        assert_eq!(code_of::<CancelInvoices>(MERCHANT, &["invoices:write"]), None);
        assert_eq!(code_of::<CancelInvoices>("operator:eve", &["operator"]), None);
        assert_eq!(code_of::<ReportDeposits>("watcher:w", &["deposits:report"]), None);
        assert_eq!(code_of::<IssuePurchases>(FRONTEND, &["purchases:issue"]), None);
        assert_eq!(code_of::<UsePurchases>(TILL, &["purchases:use"]), None);
        assert_eq!(code_of::<ReadPurchases>(FRONTEND, &["purchases:read"]), None);
        assert_eq!(code_of::<ReadPurchases>(TILL, &["purchases:read"]), None);
        assert_eq!(code_of::<CheckPurchases>(TILL, &["purchases:read"]), None);
        assert_eq!(code_of::<DownloadVouchers>(FRONTEND, &["purchases:read"]), None);
        assert_eq!(code_of::<OpenFridges>(FRONTEND, &["fridges:open"]), None);
        assert_eq!(code_of::<ReadFridges>(FRONTEND, &["fridges:read"]), None);
        assert_eq!(code_of::<UseGifts>(SHOP, &["gifts:use"]), None);
        assert_eq!(UseGifts::admit(&SHOP.parse().unwrap(), &["gifts:use".to_owned()]).unwrap(), "S-1");
        assert_eq!(code_of::<Operate>("operator:eve", &["operator"]), None);
    }

    #[test]
    fn another_scope_does_not() {
        let missing = Some("scope_missing".to_owned());
        assert_eq!(code_of::<WriteInvoices>(MERCHANT, &["invoices:read"]), missing);
        assert_eq!(code_of::<ReadInvoices>(MERCHANT, &["invoices:write"]), missing);
        assert_eq!(code_of::<WriteForms>(MERCHANT, &["invoices:write", "invoices:read"]), missing);
        assert_eq!(code_of::<CancelInvoices>(MERCHANT, &["invoices:read", "operator"]), missing);
        assert_eq!(code_of::<CancelInvoices>("operator:eve", &["invoices:write"]), missing);
        assert_eq!(code_of::<ReportDeposits>("watcher:w", &[]), missing);
        assert_eq!(code_of::<IssuePurchases>(FRONTEND, &["purchases:read"]), missing);
        assert_eq!(code_of::<UsePurchases>(TILL, &["purchases:read"]), missing);
        assert_eq!(code_of::<ReadPurchases>(FRONTEND, &["purchases:issue"]), missing);
        assert_eq!(code_of::<CheckPurchases>(TILL, &["purchases:use"]), missing);
        assert_eq!(code_of::<OpenFridges>(FRONTEND, &["fridges:read"]), missing);
        assert_eq!(code_of::<ReadFridges>(FRONTEND, &["fridges:open", "purchases:read"]), missing);
        assert_eq!(code_of::<UseGifts>(SHOP, &["purchases:use"]), missing);
        assert_eq!(code_of::<Operate>(MERCHANT, &["invoices:write"]), missing);
        assert_eq!(code_of::<Operate>("operator:eve", &["deposits:report"]), missing);
    }

    #[test]
    fn another_kind_of_principal_does_not() {
        let refused = Some("principal_not_allowed".to_owned());
        assert_eq!(code_of::<WriteInvoices>("operator:eve", &["invoices:write"]), refused);
        assert_eq!(code_of::<ReadInvoices>("watcher:w", &["invoices:read"]), refused);
        assert_eq!(code_of::<WriteForms>("operator:eve", &["forms:write"]), refused);
        assert_eq!(code_of::<CancelInvoices>("watcher:w", &["invoices:write"]), refused);
        assert_eq!(code_of::<ReportDeposits>(MERCHANT, &["deposits:report"]), refused);
        assert_eq!(code_of::<IssuePurchases>(TILL, &["purchases:issue"]), refused);
        assert_eq!(code_of::<UsePurchases>(FRONTEND, &["purchases:use"]), refused);
        assert_eq!(code_of::<ReadPurchases>(MERCHANT, &["purchases:read"]), refused);
        assert_eq!(code_of::<CheckPurchases>(FRONTEND, &["purchases:read"]), refused);
        assert_eq!(code_of::<DownloadVouchers>(TILL, &["purchases:read"]), refused);
        assert_eq!(code_of::<OpenFridges>(TILL, &["fridges:open"]), refused);
        assert_eq!(code_of::<ReadFridges>(MERCHANT, &["fridges:read"]), refused);
        assert_eq!(code_of::<UseGifts>(TILL, &["gifts:use"]), refused);
        assert_eq!(code_of::<UsePurchases>(SHOP, &["purchases:use"]), refused);
        assert_eq!(code_of::<Operate>(MERCHANT, &["operator"]), refused);
        assert_eq!(code_of::<Operate>("watcher:w", &["operator", "deposits:report"]), refused);
    }
}
