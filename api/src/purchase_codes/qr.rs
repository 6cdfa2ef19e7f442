/// What the symbol of a code holds: an address for a phone's camera, in the letters that a symbol holds best. Capitals
/// keep the alphanumeric mode, which makes the smallest symbol.
pub(super) fn content(host: &str, code: &str) -> String {
    format!("HTTPS://{}/C/{code}", host.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use qrcode::{EcLevel, QrCode};

    use super::*;
    use crate::{purchase_codes::tests::CODE, qr::Symbol};

    #[test]
    fn the_content_is_in_capitals() {
        assert_eq!(content("codes.Example:8443", CODE), format!("HTTPS://CODES.EXAMPLE:8443/C/{CODE}"));
    }

    #[test]
    fn a_code_makes_a_symbol_of_version_three() {
        let content = content("codes.example", CODE);
        assert_eq!((content.len(), Symbol::encode(&content).unwrap().width()), (45, 29));
        // As bytes, the same text needs the next version.
        let bytes = QrCode::with_error_correction_level(content.to_lowercase(), EcLevel::Q).unwrap();
        assert_eq!(bytes.width(), 33);
    }
}
