//! Bodies: read whole, within a limit and a time, and parsed with the name of the field that is wrong.

use std::{fmt, marker::PhantomData, time::Duration};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IntoDeserializer, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Number, Value};
use tokio::time::timeout;
use workflows::domain::Confidential;

use crate::problem::{FieldError, Problem, kinds};

/// How long a body may take to arrive; set by the server that took the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadTimeout(pub(crate) Duration);

impl Default for ReadTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(10))
    }
}

/// A JSON body, with the bytes that it came as.
#[derive(Debug)]
pub(crate) struct Json<T> {
    /// What they say.
    pub(crate) value: T,
    /// What was sent.
    pub(crate) raw: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let raw = read(request, state).await?;
        let value = parse(&raw)?;
        Ok(Self { value, raw })
    }
}

/// Reads a body that has to be JSON by its content type.
pub(crate) async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::from(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    read_any(request, state).await
}

/// Reads a body of any content type.
pub(crate) async fn read_any<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if is_compressed(request.headers()) {
        return Err(Problem::from(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let ReadTimeout(longest) = request.extensions().get().copied().unwrap_or_default();
    match timeout(longest, Bytes::from_request(request, state)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) => Err(Problem::from(rejection.status())),
        Err(_elapsed) => Err(Problem::from(StatusCode::REQUEST_TIMEOUT)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// Nothing is decompressed here: a small body could become any size.
fn is_compressed(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Parses a body, which has to be an object, or says which field is wrong.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        // The parser would take the items of a list for the fields, in their order.
        return Err(Problem::new(kinds::INVALID_BODY, "the body has to be an object"));
    }
    let deserializer = &mut serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut *deserializer).map_err(|error| refusal(&error))?;
    deserializer.end().map_err(|error| Problem::new(kinds::INVALID_JSON, error.to_string()))?;
    Ok(value)
}

/// One of the words of an enumeration, as text: the parser would also take `{"word": null}`.
pub(crate) fn word<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(String::deserialize(deserializer)?.into_deserializer())
}

/// An object inside a body: the parser would also take a list of its fields' values.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Fields(PhantomData))
}

/// Takes the fields of an object and nothing else.
struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

/// A whole number, also when it is written as `900.0`: to JSON Schema the two are the same.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = Number::deserialize(deserializer)?;
    let text = number.to_string();
    let whole = text.strip_suffix(".0").unwrap_or(&text);
    whole.parse().map_err(|_| Error::invalid_type(Unexpected::Other(&text), &"a whole number of 64 bits"))
}

/// A text that is not repeated in the refusal of anything else.
pub(crate) fn confidential<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Confidential, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(Confidential::new(text)),
        _ => Err(Error::invalid_type(Unexpected::Other("something else"), &"a string")),
    }
}

fn refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let detail = error.inner().to_string();
    if !error.inner().is_data() {
        return Problem::new(kinds::INVALID_JSON, detail);
    }
    let field = field_name(&error.path().to_string(), &detail);
    let errors = vec![FieldError::new(field, without_position(&detail))];
    Problem::with_errors(kinds::INVALID_BODY, without_position(&detail), errors)
}

/// The path of the field. One that is missing or given twice is named by the message alone, beside the path of the
/// object that it belongs to.
fn field_name(path: &str, detail: &str) -> String {
    let named = ["missing field `", "duplicate field `"]
        .into_iter()
        .find_map(|words| detail.strip_prefix(words)?.split('`').next());
    match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    }
}

/// A position says nothing that the field's name does not say better.
fn without_position(detail: &str) -> &str {
    detail.rsplit_once(" at line ").map_or(detail, |(message, _)| message)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, response::IntoResponse};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        amount: String,
        #[expect(dead_code, reason = "only the parsing is looked at")]
        lines: Vec<u8>,
    }

    fn refused(body: &str) -> String {
        format!("{:?}", parse::<Order>(body.as_bytes()).unwrap_err())
    }

    #[test]
    fn the_bad_field_is_named() {
        for (body, field) in [
            (r#"{"lines":[]}"#, "amount"),
            (r#"{"amount":1,"lines":[]}"#, "amount"),
            (r#"{"amount":"1","lines":[1,"x"]}"#, "lines[1]"),
            (r#"{"amount":"1","lines":[],"more":1}"#, "more"),
            (r#"{"amount":"1","amount":"1","lines":[]}"#, "amount"),
        ] {
            let refused = refused(body);
            assert!(refused.contains("invalid_body"), "{body}: {refused}");
            assert!(refused.contains(&format!("field: {field:?}")), "{body}: {refused}");
        }
    }

    #[test]
    fn a_list_is_no_object() {
        for body in [r#"["1",[]]"#, " \n[]", "["] {
            assert!(refused(body).contains("\"invalid_body\""), "{body}");
        }
    }

    #[test]
    fn a_word_is_a_text() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Colour {
            Red,
        }
        #[derive(Debug, Deserialize)]
        struct Paint {
            #[serde(deserialize_with = "word")]
            colour: Colour,
        }
        assert_eq!(parse::<Paint>(br#"{"colour":"red"}"#).unwrap().colour, Colour::Red);
        for body in [r#"{"colour":{"red":null}}"#, r#"{"colour":"blue"}"#, r#"{"colour":null}"#] {
            let refused = format!("{:?}", parse::<Paint>(body.as_bytes()).unwrap_err());
            assert!(refused.contains("field: \"colour\""), "{body}: {refused}");
        }
    }

    #[test]
    fn an_object_inside_is_no_list_either() {
        #[derive(Debug, Deserialize)]
        struct Parcel {
            #[serde(deserialize_with = "object")]
            order: Order,
        }
        assert_eq!(parse::<Parcel>(br#"{"order":{"amount":"1","lines":[]}}"#).unwrap().order.amount, "1");
        for (body, field) in [
            (r#"{"order":["1",[]]}"#, "order"),
            (r#"{"order":null}"#, "order"),
            (r#"{"order":{"amount":"1"}}"#, "order.lines"),
            (r#"{"order":{"amount":1,"lines":[]}}"#, "order.amount"),
        ] {
            let refused = format!("{:?}", parse::<Parcel>(body.as_bytes()).unwrap_err());
            assert!(refused.contains(&format!("field: {field:?}")), "{body}: {refused}");
        }
    }

    #[test]
    fn a_whole_number_has_two_spellings() {
        #[derive(Debug, Deserialize)]
        struct Wait {
            #[serde(deserialize_with = "whole")]
            seconds: i64,
        }
        let parsed = |seconds: &str| parse::<Wait>(format!("{{\"seconds\":{seconds}}}").as_bytes());
        for (text, number) in
            [("900", 900), ("900.0", 900), ("9e2", 900), ("-1", -1), ("9223372036854775807", i64::MAX)]
        {
            assert_eq!(parsed(text).unwrap().seconds, number, "{text}");
        }
        for text in ["0.5", "1e99", "9223372036854775808", "null", "\"900\"", "true"] {
            assert!(format!("{:?}", parsed(text).unwrap_err()).contains("field: \"seconds\""), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_repeated() {
        #[derive(Debug, Deserialize)]
        struct Login {
            #[serde(deserialize_with = "confidential")]
            otp: Confidential,
        }
        assert_eq!(parse::<Login>(br#"{"otp":"123456"}"#).unwrap().otp.expose(), "123456");
        for body in [r#"{"otp":123456}"#, r#"{"otp":["123456"]}"#, r#"{"otp":null}"#] {
            let refused = format!("{:?}", parse::<Login>(body.as_bytes()).unwrap_err());
            assert!(refused.contains("field: \"otp\"") && !refused.contains("123456"), "{body}: {refused}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let nested = "[".repeat(10_000);
        for body in ["", "{", "{} {}", "\u{feff}{}", r#"{"amount":"\ud800"}"#, &nested] {
            assert!(refused(body).contains("\"invalid_json\"") || refused(body).contains("invalid_body"), "{body:?}");
        }
    }

    #[tokio::test]
    async fn another_content_type_is_415() {
        let request = Request::builder().header(header::CONTENT_TYPE, "text/json").body(Body::from("{}")).unwrap();
        let problem = Json::<Order>::from_request(request, &()).await.unwrap_err();
        assert_eq!(problem.into_response().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
