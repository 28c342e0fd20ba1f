//! The JSON Schema of the configuration, and its documentation, made from the table of keys.

use serde_json::{Map, Value, json};

use super::{
    Config,
    extract::PLACES,
    root::ROOT,
    table::{Key, Keys, Kind},
};

impl Config {
    /// Returns the JSON Schema (draft 2020-12) of the configuration, for editors and for checks of
    /// generated files. What depends on several keys at once is not part of it.
    #[must_use]
    pub fn json_schema() -> Value {
        let mut schema = object(&ROOT);
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("Portcullis"));
        Value::Object(schema)
    }
}

fn object(table: &dyn Keys) -> Map<String, Value> {
    let keys = table.keys();
    let properties = keys.iter().map(|key| (key.name.to_owned(), property(key)));
    let required: Vec<_> =
        keys.iter().filter(|key| key.is_required()).map(|key| key.name).collect();
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), properties.collect::<Map<_, _>>().into());
    object.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn property(key: &Key) -> Value {
    let mut property = schema(key.kind);
    let about = if key.is_required() {
        key.about.to_owned()
    } else {
        format!("{}. Default: {}", key.about, key.default)
    };
    property.insert("description".to_owned(), json!(about));
    Value::Object(property)
}

fn schema(kind: Kind) -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    // Variables may hold what a pattern or a list of words would reject.
    let or_variable =
        |schema: Value| json!({ "anyOf": [schema, { "type": "string", "pattern": "\\$\\{" }] });
    let value = match kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text => text(),
        Kind::Texts => json!({ "type": "array", "items": text() }),
        Kind::TextOrTexts => {
            json!({ "anyOf": [text(), { "type": "array", "items": text() }] })
        }
        Kind::Word(words) => or_variable(json!({ "enum": words })),
        Kind::Words(words) => {
            json!({ "type": "array", "items": or_variable(json!({ "enum": words })) })
        }
        Kind::Duration => or_variable(json!({
            "type": "string",
            "pattern": "^\\s*([0-9]+\\s*w\\s*)?([0-9]+\\s*d\\s*)?([0-9]+\\s*h\\s*)?([0-9]+\\s*m\\s*)?([0-9]+\\s*s\\s*)?([0-9]+\\s*ms\\s*)?$",
            "minLength": 2,
        })),
        Kind::Size => or_variable(json!({
            "type": "string",
            "pattern": "^\\s*[0-9]+\\s*(B|KiB|MiB|GiB)\\s*$",
        })),
        Kind::Section(table) => Value::Object(object(table)),
        Kind::Sections(table) => json!({ "type": "array", "items": object(table) }),
        Kind::Places(table) => json!({
            "type": "array",
            "items": { "anyOf": [or_variable(json!({ "enum": PLACES })), object(table)] },
        }),
    };
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
