//! The JSON Schema, by a validator that is not ours.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use super::super::{
    node::{self, Node},
    table::{Key, Keys, Kind},
    *,
};

/// The schema, made ready once.
pub(super) struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    pub(super) fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("portcullis.json", Config::json_schema()).unwrap();
        let index = compiler.compile("portcullis.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// Holds TOML against the schema.
    pub(super) fn toml(&self, toml: &str) -> Result<(), String> {
        self.value(&json(&Node::from_toml(toml).unwrap()))
    }

    fn value(&self, value: &Value) -> Result<(), String> {
        self.schemas.validate(value, self.index).map_err(|error| format!("{error:#}"))
    }
}

pub(super) fn json(node: &Node) -> Value {
    match &node.value {
        node::Value::Flag(flag) => Value::from(*flag),
        node::Value::Integer(text) => Value::from(text.parse::<i64>().unwrap()),
        node::Value::Text(text) | node::Value::Other(text) => Value::from(text.as_str()),
        node::Value::List(list) => list.iter().map(json).collect(),
        node::Value::Table(members) => {
            members.iter().map(|member| (member.key.clone(), json(&member.node))).collect()
        }
    }
}

#[test]
fn the_sample_fits() {
    Validator::new().toml(super::SAMPLE).unwrap();
}

#[test]
fn what_the_reader_rejects_as_unknown_or_of_another_kind_does_not_fit() {
    let schema = Validator::new();
    for text in [
        "produktion = true",
        "production = 'yes'",
        "leeway = '1s'",
        "[revocation]\nmode = 'local'",
        "[revocation]\nstore = 'memory:'\nmode = 'lax'",
        "[revocation]\nstore = 'memory:'\npoll = 1",
        "[issuer]\nissuer = 'a'",
        "[[issuer]]\nissuer = 'a'\nleeway = 60",
        "[[issuer]]\nissuer = 'a'\nleeway = '60'",
        "[[issuer]]\nissuer = 'a'\nleeway = '1M'",
        "[[issuer]]\nissuer = 'a'\nleeway = '1s 1m'",
        "[[issuer]]\nissuer = 'a'\nleeway = ''",
        "[[issuer]]\nissuer = 'a'\nalgorithms = ['none']",
        "[[issuer]]\nissuer = 'a'\naudience = 'b'",
        "[[issuer]]\nissuer = 'a'\ngrant = { permissions = { separator = ':' } }",
        "[extract]\nplaces = ['headers']",
        "[extract]\nplaces = [{ name = 'x' }]",
        "[extract]\nplaces = [{ kind = 'header', nam = 'x' }]",
        "[extract]\nseveral = 'last'",
        "[[static_token]]\ntoken = 't'",
        "max_token_len = '16KB'",
    ] {
        assert!(super::read(text).is_err(), "{text}");
        assert!(schema.toml(text).is_err(), "{text}");
    }
}

#[test]
fn durations_and_variables_fit_as_the_reader_takes_them() {
    let schema = Validator::new();
    for value in ["1s", "1h30m", " 7d ", "1 w 2 d", "500ms", "${LEEWAY}", "1h 1ms"] {
        let text = format!("[[issuer]]\nissuer = 'a'\nleeway = '{value}'");
        schema.toml(&text).unwrap();
        let found = super::read(&text).map_err(|error| error.to_string());
        assert!(found.is_ok() || value.contains('$'), "{found:?}");
    }
}

/// Puts a value of each other kind, and an unknown key, at each place of the table.
#[test]
fn each_key_rejects_values_of_other_kinds() {
    let schema = Validator::new();
    let fits = |kind: Kind, value: &Value| match kind {
        Kind::Flag => value.is_boolean(),
        Kind::Text | Kind::TextOrTexts => value.is_string(),
        _ => false,
    };
    let mut checked = 0;
    for_each_key(&ROOT.keys(), &|inner| inner, &mut |key, wrap| {
        for value in [Value::Null, 1.into(), true.into(), "no such word".into()] {
            if fits(key.kind, &value) {
                continue;
            }
            let document = wrap(serde_json::json!({ key.name: value }));
            assert!(schema.value(&document).is_err(), "{document}");
            let read = Config::from_json(&document.to_string());
            assert!(read.is_err(), "{document}");
            checked += 1;
        }
        let document = wrap(serde_json::json!({ format!("{}x", key.name): "a" }));
        assert!(schema.value(&document).is_err(), "{document}");
    });
    assert!(checked > 150, "{checked}");
}

type Wrap<'w> = &'w dyn Fn(Value) -> Value;

fn for_each_key(keys: &[Key], wrap: Wrap<'_>, visit: &mut dyn FnMut(&Key, Wrap<'_>)) {
    for key in keys {
        visit(key, wrap);
        let inner = |value: Value| match key.kind {
            Kind::Section(_) => wrap(serde_json::json!({ key.name: value })),
            _ => wrap(serde_json::json!({ key.name: [value] })),
        };
        for_each_key(&key.kind.keys(), &inner, visit);
    }
}
