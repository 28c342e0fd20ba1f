//! A configuration as it was written: values with the places where they stand.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use toml::de::{DeTable, DeValue};

use crate::{
    error::{Lines, Position},
    values::quoted,
};

/// A value, and where it stands in the text, if the text tells.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) position: Option<Position>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Flag(bool),
    Integer(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Member>),
    /// What no key takes: null, a date, a number with a fraction.
    Other(String),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) position: Option<Position>,
    pub(crate) node: Node,
}

impl Value {
    /// Returns the value as errors show it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Integer(text) | Self::Other(text) => text.clone(),
            Self::Text(text) => quoted(text),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }
}

/// A text that is not even TOML or JSON, and where that shows.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) position: Option<Position>,
}

impl Node {
    pub(crate) fn from_toml(text: &str) -> Result<Self, SyntaxError> {
        let lines = Lines::of(text);
        let table = DeTable::parse(text).map_err(|error| SyntaxError {
            message: match error.message() {
                "recursion limit" => "it is nested too deeply".to_owned(),
                message => message.to_owned(),
            },
            position: error.span().map(|span| lines.position(span.start)),
        })?;
        let value = of_table(table.get_ref(), &lines);
        Ok(Self { value, position: None })
    }

    pub(crate) fn from_json(text: &str) -> Result<Self, SyntaxError> {
        serde_json::from_str(text).map_err(|error| {
            let position = Position { line: error.line(), column: error.column().max(1) };
            let message = error.to_string();
            // The place is said once, in front.
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            SyntaxError { message, position: Some(position) }
        })
    }
}

fn of_table(table: &DeTable<'_>, lines: &Lines<'_>) -> Value {
    let mut members: Vec<_> = table
        .iter()
        .map(|(key, value)| Member {
            key: key.get_ref().clone().into_owned(),
            position: Some(lines.position(key.span().start)),
            node: Node {
                value: of_value(value.get_ref(), lines),
                position: Some(lines.position(value.span().start)),
            },
        })
        .collect();
    // As written, so that the first mistake is told first.
    members.sort_by_key(|member| member.position);
    Value::Table(members)
}

fn of_value(value: &DeValue<'_>, lines: &Lines<'_>) -> Value {
    match value {
        DeValue::String(value) => Value::Text(value.clone().into_owned()),
        DeValue::Integer(value) => Value::Integer(value.to_string()),
        DeValue::Boolean(value) => Value::Flag(*value),
        DeValue::Array(list) => {
            let elements = list.iter().map(|element| Node {
                value: of_value(element.get_ref(), lines),
                position: Some(lines.position(element.span().start)),
            });
            Value::List(elements.collect())
        }
        DeValue::Table(table) => of_table(table, lines),
        DeValue::Float(value) => Value::Other(value.to_string()),
        DeValue::Datetime(value) => Value::Other(value.to_string()),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_any(ValueVisitor)?;
        Ok(Self { value, position: None })
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a configuration")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Other(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other("null".to_owned()))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Other("null".to_owned()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Value::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            if members.iter().any(|member| member.key == key) {
                return Err(A::Error::custom(format!("the key {} is there twice", quoted(&key))));
            }
            members.push(Member { key, position: None, node });
        }
        Ok(Value::Table(members))
    }
}
