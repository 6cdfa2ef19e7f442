use serde::Serialize;
use store::postgres::invoices::Invoice;
use utoipa::ToSchema;
use workflows::domain::BaseUnits;

/// Ethereum's own chain, as ERC-681 counts them.
const ETHEREUM_CHAIN_ID: u32 = 1;

/// What a wallet can be given to pay an invoice.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct PaymentUri {
    /// `bip21`, `erc681`, or `address` for the bare address.
    #[schema(pattern = "^(bip21|erc681|address)$")]
    kind: &'static str,
    /// What the wallet reads.
    value: String,
}

/// The ways to pay what remains of an invoice; none when nothing is awaited any more.
pub(super) fn payment_uris(invoice: &Invoice, remaining: &BaseUnits) -> Vec<PaymentUri> {
    if !invoice.status.is_open() || remaining.is_zero() {
        return Vec::new();
    }
    let address = &invoice.deposit_address;
    let (kind, value) = match (invoice.network_id.as_str(), &invoice.contract) {
        ("bitcoin", _) => ("bip21", format!("bitcoin:{address}?amount={}", remaining.to_decimal(invoice.decimals))),
        ("ethereum", None) => ("erc681", format!("ethereum:{address}@{ETHEREUM_CHAIN_ID}?value={remaining}")),
        ("ethereum", Some(contract)) => (
            "erc681",
            format!("ethereum:{contract}@{ETHEREUM_CHAIN_ID}/transfer?address={address}&uint256={remaining}"),
        ),
        // Tron has no standard that every wallet takes but the bare address.
        _ => ("address", address.clone()),
    };
    vec![PaymentUri { kind, value }]
}

#[cfg(test)]
mod tests {
    use workflows::invoices::InvoiceStatus;

    use super::*;
    use crate::invoices::body::tests::invoice;

    fn uri(network: &str, contract: Option<&str>, decimals: u8) -> (&'static str, String) {
        let invoice = Invoice {
            network_id: network.to_owned(),
            contract: contract.map(str::to_owned),
            decimals,
            deposit_address: "addr".to_owned(),
            ..invoice()
        };
        let uri = payment_uris(&invoice, &1_500_000.into()).remove(0);
        (uri.kind, uri.value)
    }

    #[test]
    fn each_network_has_its_own_uri() {
        assert_eq!(uri("bitcoin", None, 8), ("bip21", "bitcoin:addr?amount=0.015".to_owned()));
        assert_eq!(uri("ethereum", None, 18), ("erc681", "ethereum:addr@1?value=1500000".to_owned()));
        let token = "ethereum:0xdac@1/transfer?address=addr&uint256=1500000".to_owned();
        assert_eq!(uri("ethereum", Some("0xdac"), 6), ("erc681", token));
        assert_eq!(uri("tron", Some("TR7"), 6), ("address", "addr".to_owned()));
    }

    #[test]
    fn nobody_is_asked_to_pay_what_is_not_awaited() {
        assert!(payment_uris(&invoice(), &BaseUnits::zero()).is_empty());
        for status in [InvoiceStatus::Expired, InvoiceStatus::Cancelled, InvoiceStatus::Finished] {
            assert!(payment_uris(&Invoice { status, ..invoice() }, &1.into()).is_empty());
        }
    }
}
