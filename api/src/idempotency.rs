//! Repeating a request is safe: its ids are derived from who sends it, where to, and under which key.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::{
    IntoParams,
    openapi::{
        Object, ObjectBuilder, Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::Type,
    },
};
use uuid::{Uuid, Variant, uuid};

use crate::problem::{Problem, kinds};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// Every id of a process is derived under this: it can never change.
const NAMESPACE: Uuid = uuid!("7d0f7f0e-58f1-4e0b-9c0a-6d1f3b8a2c55");

/// The key of a request, without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The id of the process that the request starts.
    pub(crate) fn process_id(&self, principal: &str, route: &str) -> Uuid {
        Uuid::new_v5(&NAMESPACE, self.name(principal, route).as_bytes())
    }

    /// The id of the update that carries the request.
    pub(crate) fn update_id(&self, principal: &str, route: &str) -> String {
        hex::encode(Sha256::digest(self.name(principal, route)))
    }

    /// JSON keeps the three apart, whatever is in them.
    fn name(&self, principal: &str, route: &str) -> String {
        Value::from(vec![principal, route, &self.0]).to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        let key = match text.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => text.to_owned(),
        };
        let printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        (printable && (1..=LONGEST).contains(&key.len())).then_some(Self(key))
    }
}

/// What stands between the quotes; a backslash takes the next character as it is.
fn unquote(text: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(key),
            '\\' => key.push(characters.next()?),
            character => key.push(character),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Err(Problem::new(kinds::IDEMPOTENCY_KEY_MISSING, "send a header Idempotency-Key"));
        };
        let key = value.to_str().ok().and_then(Self::parse).filter(|_| values.next().is_none());
        key.ok_or_else(|| {
            Problem::new(kinds::IDEMPOTENCY_KEY_INVALID, "send one key of 1 to 255 printable ASCII characters")
        })
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "1 to 255 printable ASCII characters, bare or quoted. A repeat with it gets the same answer.";
        vec![parameter(description, schema(), "order-2041")]
    }
}

/// The key of a request that anyone may send: a random UUID, for nobody may come upon that of somebody else.
#[derive(Debug)]
pub(crate) struct PageKey(pub(crate) IdempotencyKey);

impl PageKey {
    fn new(key: IdempotencyKey) -> Option<Self> {
        let is_random = |id: &Uuid| id.get_version_num() == 4 && id.get_variant() == Variant::RFC4122;
        let id = Uuid::try_parse(&key.0).ok().filter(is_random)?;
        // Of the spellings that the parser takes, only the usual one.
        id.to_string().eq_ignore_ascii_case(&key.0).then_some(Self(key))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = IdempotencyKey::from_request_parts(parts, state).await?;
        Self::new(key).ok_or_else(|| Problem::new(kinds::IDEMPOTENCY_KEY_INVALID, "send a random UUID (version 4)"))
    }
}

impl IntoParams for PageKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}";
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^({id}|\"{id}\")$"))).build();
        let description = "A random UUID (version 4), bare or quoted. A repeat with it gets the same answer.";
        vec![parameter(description, schema, "5f0c9a4e-7d1b-4c2a-9e3f-2b6a8d0c1e47")]
    }
}

fn parameter(description: &str, schema: Object, example: &str) -> Parameter {
    let header = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
    let header = header.required(Required::True).description(Some(description));
    header.schema(Some(schema)).example(Some(example.into())).build()
}

/// A bare key neither begins with a quote nor begins or ends with a space, which HTTP would take away.
fn schema() -> Object {
    let bare = r"[!#-~]([ -~]{0,253}[!-~])?";
    let quoted = r#""([ !#-\[\]-~]|\\[ -~]){1,255}""#;
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^({bare}|{quoted})$"))).build()
}

/// The server's key for fingerprints of requests.
#[derive(Debug)]
pub(crate) struct FingerprintKey(SecretBox<[u8; 32]>);

impl FingerprintKey {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(key)))
    }

    /// Tells requests under the same key apart without keeping what they say. White space and the order of fields make
    /// no difference.
    pub(crate) fn fingerprint(&self, body: &[u8]) -> Result<String, Problem> {
        self.of(serde_json::from_slice(body).map_err(Problem::unforeseen)?)
    }

    /// The same of a body without one field: of a short secret not even this may be kept, for it can be tried out.
    pub(crate) fn fingerprint_without(&self, field: &str, body: &[u8]) -> Result<String, Problem> {
        let mut body: Value = serde_json::from_slice(body).map_err(Problem::unforeseen)?;
        if let Some(fields) = body.as_object_mut() {
            fields.remove(field);
        }
        self.of(body)
    }

    /// The same of a body that was read already.
    pub(crate) fn of(&self, body: Value) -> Result<String, Problem> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).map_err(Problem::unforeseen)?;
        hmac.update(sorted(body).to_string().as_bytes());
        Ok(hex::encode(hmac.finalize().into_bytes()))
    }
}

/// The fingerprint of the first request under a key has to be that of every repeat.
pub(crate) fn check_repeat(first: &str, this: &str) -> Result<(), Problem> {
    if first.as_bytes().ct_eq(this.as_bytes()).into() {
        return Ok(());
    }
    Err(Problem::new(kinds::IDEMPOTENCY_KEY_REUSED, "use a new Idempotency-Key for another request"))
}

/// The same value with the fields of every object in alphabetical order, whatever map the JSON library uses.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINCIPAL: &str = "merchant:0190a0b0-0000-7000-8000-00000000000a";

    fn key(text: &str) -> Option<String> {
        IdempotencyKey::parse(text).map(|IdempotencyKey(key)| key)
    }

    #[test]
    fn the_ids_of_a_request_never_change() {
        let key = IdempotencyKey("order-1".to_owned());
        let id = key.process_id(PRINCIPAL, "POST /invoices");
        assert_eq!(id, uuid!("cece0d49-0373-5262-9b75-6e49cd6162a2"));
        let update_id = "3b71095276878c26dbce954f64eeedc0f22550cc6420ab608f238997163606ea";
        assert_eq!(key.update_id(PRINCIPAL, "POST /invoices"), update_id);
    }

    #[test]
    fn a_key_is_the_same_with_and_without_quotes() {
        assert_eq!(key("order-1").as_deref(), Some("order-1"));
        assert_eq!(key("\"order-1\"").as_deref(), Some("order-1"));
        assert_eq!(key(r#""a\"b\\c""#).as_deref(), Some(r#"a"b\c"#));
        assert_eq!(key(&"k".repeat(255)).map(|key| key.len()), Some(255));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "\"", "\"\"", "\"open", "\"a\"b\"", "\"a\\\"", "é", "a\tb", &"k".repeat(256)] {
            assert_eq!(key(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_key_of_a_page_is_a_random_uuid() {
        let is_key = |text: &str| IdempotencyKey::parse(text).and_then(PageKey::new).is_some();
        for text in ["5f0c9a4e-7d1b-4c2a-9e3f-2b6a8d0c1e47", "\"5F0C9A4E-7D1B-4C2A-BE3F-2B6A8D0C1E47\""] {
            assert!(is_key(text), "{text}");
        }
        for text in [
            "order-1",
            "5f0c9a4e7d1b4c2a9e3f2b6a8d0c1e47",
            "{5f0c9a4e-7d1b-4c2a-9e3f-2b6a8d0c1e47}",
            "0190a0b0-0000-7000-8000-00000000000a",
            "5f0c9a4e-7d1b-4c2a-ce3f-2b6a8d0c1e47",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert!(!is_key(text), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_is_of_what_a_body_says() {
        let fingerprint = |body: &str| FingerprintKey::new([7; 32]).fingerprint(body.as_bytes()).unwrap();
        let first = fingerprint(r#"{"a":1,"b":{"c":null,"d":[1,2]}}"#);
        assert_eq!(first, fingerprint("{ \"b\": {\"d\":[1, 2],\n\"c\":null}, \"a\":1 }"));
        assert_ne!(first, fingerprint(r#"{"a":1,"b":{"c":null,"d":[2,1]}}"#));
        assert_ne!(first, FingerprintKey::new([8; 32]).fingerprint(br#"{"a":1,"b":{"c":null,"d":[1,2]}}"#).unwrap());
    }

    #[test]
    fn a_fingerprint_without_a_field_is_the_same_whatever_it_says() {
        let key = FingerprintKey::new([7; 32]);
        let without = |body: &str| key.fingerprint_without("otp", body.as_bytes()).unwrap();
        let first = without(r#"{"otp":"123456","amount":"1"}"#);
        assert_eq!(first, without(r#"{"amount":"1","otp":"654321"}"#));
        assert_eq!(first, key.fingerprint(br#"{"amount":"1"}"#).unwrap());
        assert_ne!(first, without(r#"{"otp":"123456","amount":"2"}"#));
    }

    #[test]
    fn another_body_under_the_same_key_is_refused() {
        assert!(check_repeat("ab", "ab").is_ok());
        assert!(check_repeat("ab", "ac").is_err());
        assert!(check_repeat("ab", "a").is_err());
    }
}
