use serde::Serialize;
use store::postgres::invoices::Invoice;
use utoipa::ToSchema;
use workflows::{domain::BaseUnits, invoices::InvoiceStatus};

/// Ethereum's own chain, as ERC-681 counts them.
const ETHEREUM_CHAIN_ID: u32 = 1;

/// What a wallet can be given to pay an invoice.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct PaymentUri {
    /// `bip21`, `erc681`, or `address` for the bare address.
    #[schema(pattern = "^(bip21|erc681|address)$")]
    kind: &'static str,
    /// What the wallet reads.
    pub(super) value: String,
}

/// The ways to pay what remains of an invoice, the one that says most first; none when nothing is awaited any more.
pub(super) fn payment_uris(invoice: &Invoice, remaining: &BaseUnits) -> Vec<PaymentUri> {
    // What remains after the other statuses is within the tolerance: nobody is asked for it.
    let awaited = matches!(invoice.status, InvoiceStatus::WaitingForDeposit | InvoiceStatus::PartiallyPaid);
    if !awaited || remaining.is_zero() {
        return Vec::new();
    }
    let address = PaymentUri { kind: "address", value: invoice.deposit_address.clone() };
    standard(invoice, remaining).into_iter().chain([address]).collect()
}

/// What the network has a standard for. Tron has none that every wallet takes.
fn standard(invoice: &Invoice, remaining: &BaseUnits) -> Option<PaymentUri> {
    let address = &invoice.deposit_address;
    let (kind, value) = match (invoice.network_id.as_str(), &invoice.contract) {
        ("bitcoin", _) => ("bip21", format!("bitcoin:{address}?amount={}", remaining.to_decimal(invoice.decimals))),
        ("ethereum", None) => ("erc681", format!("ethereum:{address}@{ETHEREUM_CHAIN_ID}?value={remaining}")),
        ("ethereum", Some(contract)) => (
            "erc681",
            format!("ethereum:{contract}@{ETHEREUM_CHAIN_ID}/transfer?address={address}&uint256={remaining}"),
        ),
        _ => return None,
    };
    Some(PaymentUri { kind, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invoices::body::tests::invoice;

    fn uris(network: &str, contract: Option<&str>, decimals: u8) -> Vec<(&'static str, String)> {
        let invoice = Invoice {
            network_id: network.to_owned(),
            contract: contract.map(str::to_owned),
            decimals,
            deposit_address: "addr".to_owned(),
            ..invoice()
        };
        payment_uris(&invoice, &1_500_000.into()).into_iter().map(|uri| (uri.kind, uri.value)).collect()
    }

    #[test]
    fn each_network_has_its_own_uri_before_the_bare_address() {
        let address = || ("address", "addr".to_owned());
        assert_eq!(uris("bitcoin", None, 8), [("bip21", "bitcoin:addr?amount=0.015".to_owned()), address()]);
        assert_eq!(uris("ethereum", None, 18), [("erc681", "ethereum:addr@1?value=1500000".to_owned()), address()]);
        let token = "ethereum:0xdac@1/transfer?address=addr&uint256=1500000".to_owned();
        assert_eq!(uris("ethereum", Some("0xdac"), 6), [("erc681", token), address()]);
        assert_eq!(uris("tron", Some("TR7"), 6), [address()]);
    }

    #[test]
    fn nobody_is_asked_to_pay_what_is_not_awaited() {
        assert!(payment_uris(&invoice(), &BaseUnits::zero()).is_empty());
        for status in InvoiceStatus::ALL {
            let awaited = [InvoiceStatus::WaitingForDeposit, InvoiceStatus::PartiallyPaid].contains(&status);
            assert_eq!(!payment_uris(&Invoice { status, ..invoice() }, &1.into()).is_empty(), awaited, "{status}");
        }
    }
}
