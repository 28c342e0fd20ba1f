//! JSON as it stands: members in their order, and those that are there twice.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Value;

/// An object whose members keep their order. One that is there twice stands twice.
#[derive(Debug, Default)]
pub(super) struct Document {
    members: Vec<(String, Value)>,
}

impl Document {
    /// Returns the value of a member, the last if there are several.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Returns the names that are there more than once.
    pub(super) fn duplicates(&self) -> Vec<&str> {
        let names = self.members.iter().enumerate();
        let again = names.filter(|(index, (name, _))| {
            self.members.iter().take(*index).any(|(before, _)| before == name)
        });
        again.map(|(_, (name, _))| name.as_str()).collect()
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                /// More than any token has, so that looking for duplicates stays quick.
                const MAX: usize = 10_000;
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() == MAX {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push(member);
                }
                Ok(Document { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_doubles() {
        let text = r#"{"b":1,"a":[2],"b":3}"#;
        let document: Document = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), text);
        assert_eq!(document.get("b"), Some(&Value::from(3)));
        assert_eq!(document.duplicates(), ["b"]);
        assert!(serde_json::from_str::<Document>("[]").is_err());
    }
}
