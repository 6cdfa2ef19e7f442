//! What a buyer is shown of an invoice, and where he goes after paying.

use crate::{
    problem::FieldError,
    text::{self, Lines},
};

const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 2000;
const LONGEST_URL: usize = 2000;

/// What is wrong with a title, a description and a checkout URL.
pub(crate) fn flaws(title: &str, description: &str, checkout_url: &str) -> Vec<FieldError> {
    let url = text::flaw(checkout_url, LONGEST_URL, Lines::One).or_else(|| url_flaw(checkout_url));
    let flaws = [
        ("title", text::flaw(title, LONGEST_TITLE, Lines::One)),
        ("description", text::flaw(description, LONGEST_DESCRIPTION, Lines::Many)),
        ("checkout_url", url),
    ];
    flaws.into_iter().filter_map(|(field, flaw)| Some(FieldError::new(field, flaw?))).collect()
}

/// Only a whole address of the web: buyers are sent there.
fn url_flaw(url: &str) -> Option<String> {
    if url.is_empty() {
        return None;
    }
    (!is_of_the_web(url))
        .then(|| "is no absolute http or https URL, percent-encoded and without credentials".to_owned())
}

/// The same as the pattern of the field in the API's description.
fn is_of_the_web(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    is_authority(authority) && path.bytes().all(is_of_a_url)
}

/// Neither white space nor what a page or a shell would take for the end of the address.
fn is_of_a_url(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)
}

fn is_authority(authority: &str) -> bool {
    let end_of_host = authority.rfind(']').map(|end| end + 1).or_else(|| authority.find(':'));
    let (host, port) = authority.split_at(end_of_host.unwrap_or(authority.len()));
    is_host(host) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_host(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let (text, others) = literal.map_or((host, "._-"), |literal| (literal, ":."));
    let plain = |byte: u8| others.as_bytes().contains(&byte) || byte.is_ascii_digit();
    let letter = |byte: u8| if literal.is_some() { byte.is_ascii_hexdigit() } else { byte.is_ascii_alphabetic() };
    !text.is_empty() && text.bytes().all(|byte| plain(byte) || letter(byte))
}
