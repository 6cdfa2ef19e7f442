//! The OpenAPI document: made from the routes, and completed with what all operations have in common.

mod complete;
pub(crate) mod docs;
mod problems;
pub(crate) mod publish;
pub(crate) mod schemas;

use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        Components, Info, OpenApi, OpenApiBuilder, RefOr, Schema,
        security::{Http, HttpAuthScheme, SecurityScheme},
        tag::Tag,
    },
};

pub(crate) use publish::text;

use crate::{deposits::Observation, problem::ProblemBody, router};

/// Where an operation names the kinds of problems that only it has, by their codes.
const OWN_PROBLEMS: &str = "x-problems";

/// Name of the security scheme in the document.
const SCHEME: &str = "api_key";

const DESCRIPTION: &str = "\
Durable commercial processes. Amounts are decimal strings, times are RFC 3339 in UTC. Every error is \
`application/problem+json` with a stable `code`. Where an `Idempotency-Key` is required, the same key and body get the \
same answer however often they are sent, and 503 means: send it again with the same key, unless its code says \
otherwise.";

const TAGS: [(&str, &str); 10] = [
    (
        "purchase codes",
        "A one-time password confirms a loan, the loan is disbursed, and a provider scans its code once",
    ),
    ("invoices", "Crypto invoices: an address awaits an amount of a coin until it is paid or expires"),
    ("invoice forms", "What a merchant leaves partly blank, so that each buyer who fills it gets an invoice"),
    ("checkout", "For buyers: the form that they fill, and the invoice that they pay"),
    ("fridge sales", "A smart fridge is opened for a buyer, and what he takes is listed when its door is closed again"),
    ("gifts", "A shop's device uses a gift once, with the PIN of an account, and may undo that for a short time"),
    ("payment options", "What an invoice can be paid with"),
    ("deposits", "For watchers of the chains"),
    ("operators", "For whoever runs this service"),
    ("service", "This service itself"),
];

/// The document without its routes.
pub(crate) fn outline() -> OpenApi {
    let key = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key. The words beside it are the scopes, one of which the key has to have."))
        .build();
    let tag = |(name, description)| Tag::builder().name(name).description(Some(description)).build();
    let mut by_hand = [named::<Observation>(), named::<ProblemBody<'_>>()].concat();
    Observation::schemas(&mut by_hand);
    ProblemBody::schemas(&mut by_hand);
    let components = Components::builder().schemas_from_iter(by_hand);
    OpenApiBuilder::new()
        .info(Info::builder().title("Perdura").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION)))
        .components(Some(components.security_scheme(SCHEME, SecurityScheme::Http(key)).build()))
        .tags(Some(TAGS.map(tag)))
        .build()
}

/// A schema that no route names, but a part that is written by hand.
fn named<T: ToSchema>() -> Vec<(String, RefOr<Schema>)> {
    vec![(T::name().into_owned(), T::schema())]
}

/// The document.
pub(crate) fn document() -> serde_json::Result<Value> {
    let mut document = serde_json::to_value(router::document())?;
    complete::complete(&mut document);
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_copy_is_up_to_date() {
        let committed = include_str!("../../../docs/openapi.json");
        let is_current = committed == text().unwrap();
        assert!(is_current, "docs/openapi.json is stale: cargo run --bin perdura-api -- openapi > docs/openapi.json");
    }
}
