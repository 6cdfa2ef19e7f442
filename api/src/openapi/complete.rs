//! What no operation says by itself: the common header, the errors, and the examples of the schemas beside the bodies.

use serde_json::{Map, Value, json};

use super::problems;
use crate::problem::kinds;

/// Completes the document that the routes make.
pub(super) fn complete(document: &mut Value) {
    for kind in kinds::ALL {
        document["components"]["examples"][kind.code] = problems::example(*kind);
    }
    document["components"]["headers"]["x-request-id"] = json!({
        "schema": { "type": "string" }, "description": "Names this request in the log; the caller's own id, if he sent one",
    });
    let schemas = document["components"]["schemas"].clone();
    for operation in operations(document) {
        problems::add(operation);
        if let Some(body) = operation.get_mut("requestBody") {
            complete_body(body, &schemas);
        }
        for response in values(&mut operation["responses"]) {
            complete_body(response, &schemas);
            response["headers"]["x-request-id"] = json!({ "$ref": "#/components/headers/x-request-id" });
        }
    }
}

/// Every operation of a document.
fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    values(&mut document["paths"]).flat_map(values)
}

fn values(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.as_object_mut().into_iter().flat_map(Map::values_mut)
}

/// A body of a named type shows that type's example.
fn complete_body(body: &mut Value, schemas: &Value) {
    for content in body.get_mut("content").into_iter().flat_map(values) {
        let name = content["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let example = name.map(|name| schemas[name]["examples"][0].clone()).filter(|example| !example.is_null());
        if let Some(example) = example {
            content["example"] = example;
        }
    }
}
