//! `offset` and `limit`, and what else Mambu's reads have behind the question mark.

use std::collections::BTreeMap;

use super::refusal::Refusal;

/// The parameters of a request as they came.
pub(super) type Parameters = BTreeMap<String, String>;

const USUAL_LIMIT: usize = 50;
const MOST: usize = 1000;

/// Which part of a list is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Paging {
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl Paging {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let number = |name: &str, usual: usize, reason| match parameters.get(name) {
            Some(text) => text.parse().map_err(|_| Refusal::of(reason).at(name)),
            None => Ok(usual),
        };
        let offset = number("offset", 0, "INVALID_PAGINATION_OFFSET_VALUE")?;
        let limit = number("limit", USUAL_LIMIT, "INVALID_PAGINATION_LIMIT_VALUE")?;
        if !(1..=MOST).contains(&limit) {
            return Err(Refusal::of("OUT_OF_BOUNDS_PAGINATION_LIMIT_VALUE").at("limit"));
        }
        Ok(Self { offset, limit })
    }
}

/// Both levels show the same here: nothing has custom fields.
pub(super) fn check_details_level(parameters: &Parameters) -> Result<(), Refusal> {
    match parameters.get("detailsLevel").map(String::as_str) {
        None | Some("BASIC" | "FULL") => Ok(()),
        Some(_) => Err(Refusal::of("INVALID_PARAMETERS").at("detailsLevel")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Paging, Refusal> {
        Paging::read(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(read("x", "1"), Ok(Paging { offset: 0, limit: 50 }));
        assert_eq!(read("offset", "7"), Ok(Paging { offset: 7, limit: 50 }));
        assert_eq!(read("limit", "1000"), Ok(Paging { offset: 0, limit: 1000 }));
        for (name, value) in [("offset", "-1"), ("offset", "x"), ("limit", "0"), ("limit", "1001"), ("limit", "")] {
            assert!(read(name, value).is_err(), "{name}={value}");
        }
    }
}
