//! Which claims a type reads.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error, Visitor},
    forward_to_deserialize_any,
};

/// Returns whether reading the claims as this type may read one of these.
///
/// A struct lists the members that it has fields for when it is deserialized. Any other type may read each
/// member: a map, a struct with flattened fields, an enum.
pub(crate) fn may_read<T: DeserializeOwned>(is_one: &dyn Fn(&str) -> bool) -> bool {
    let mut may_read = true;
    // It always fails: what counts is which method the type calls.
    let _ = T::deserialize(Probe { is_one, may_read: &mut may_read });
    may_read
}

/// Provides no values, and notes which members a type has fields for.
struct Probe<'p> {
    is_one: &'p dyn Fn(&str) -> bool,
    may_read: &'p mut bool,
}

/// The only answer of a [`Probe`].
#[derive(Debug)]
struct NoValue;

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        Err(NoValue)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NoValue> {
        *self.may_read = fields.iter().any(|field| (self.is_one)(field));
        Err(NoValue)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, NoValue> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct map seq tuple tuple_struct enum identifier ignored_any
    }
}

impl Error for NoValue {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value")
    }
}

impl std::error::Error for NoValue {}
