//! A strict reader of JSON objects that allocates nothing.
//!
//! A token's header and claims are read once, as a list of members that point into the text.
//! `serde_json` reads what the application asks for as its own type; here, before the signature is
//! proven, what counts is that nothing grows with hostile input and that no member is there twice.
//!
//! # Examples
//!
//! ```
//! use portcullis_jose::json::{JsonError, Name, Object};
//!
//! let claims = Object::parse(r#"{"sub":"alice","tenant":"a"}"#)?;
//! assert_eq!(claims.get(Name::Sub).and_then(|sub| sub.as_str()).as_deref(), Some("alice"));
//! assert!(claims.find("tenant").is_some());
//!
//! let twice = Object::parse(r#"{"sub":"alice","sub":"bob"}"#);
//! assert_eq!(twice.unwrap_err(), JsonError::DuplicateMember);
//! # Ok::<(), JsonError>(())
//! ```

mod cursor;
mod name;
mod object;
mod reader;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use self::cursor::Cursor;
pub use self::{name::Name, object::Object, reader::Reader};

/// How deep objects and arrays may nest. Tokens of real issuers stay below ten.
pub const MAX_DEPTH: u8 = 32;

/// Why a text was not read as a JSON object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is not JSON ([RFC 8259]).
    ///
    /// [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259
    Syntax,
    /// The text is a JSON value of another type.
    NotAnObject,
    /// Objects and arrays nest deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Two members have the same name.
    DuplicateMember,
}

impl JsonError {
    /// Returns the reason as a fixed text.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Syntax => "not valid JSON",
            Self::NotAnObject => "not a JSON object",
            Self::TooDeep => "nested too deeply",
            Self::DuplicateMember => "a member is there twice",
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for JsonError {}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "JSON has these types and no others")]
pub enum Kind {
    /// A string.
    String {
        /// Whether its text contains a backslash.
        escaped: bool,
    },
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One value: its type and its text, without the quotes of a string.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    kind: Kind,
    text: &'a str,
}

impl<'a> Value<'a> {
    /// Returns the type.
    #[inline]
    #[must_use]
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// Returns the JSON text of the value, as the document has it.
    #[must_use]
    pub fn json(self) -> Cow<'a, str> {
        match self.kind {
            Kind::String { .. } => Cow::Owned(format!("\"{}\"", self.text)),
            _ => Cow::Borrowed(self.text),
        }
    }

    /// Returns the text of a number.
    #[inline]
    #[must_use]
    pub fn as_number(self) -> Option<&'a str> {
        (self.kind == Kind::Number).then_some(self.text)
    }

    /// Returns the value of a string.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::String { escaped: false } => Some(Cow::Borrowed(self.text)),
            Kind::String { escaped: true } => self.unescaped().map(Cow::Owned),
            _ => None,
        }
    }

    #[cold]
    fn unescaped(self) -> Option<String> {
        serde_json::from_str(&self.json()).ok()
    }

    /// Returns the members of an object; `None` too if one is there twice.
    #[inline]
    #[must_use]
    pub fn as_object(self) -> Option<Object<'a>> {
        self.read_object().and_then(Result::ok)
    }

    /// Reads the members of an object; `None` for a value that is no object.
    ///
    /// The result is an error for an object that repeats a member.
    #[inline]
    #[must_use]
    pub fn read_object(self) -> Option<Result<Object<'a>, JsonError>> {
        (self.kind == Kind::Object).then(|| Object::parse(self.text))
    }

    /// Calls `visit` for each element of an array until it returns `None`; `None` too for a value
    /// that is no array.
    #[inline]
    pub fn each_element(self, mut visit: impl FnMut(Self) -> Option<()>) -> Option<()> {
        if self.kind != Kind::Array {
            return None;
        }
        let mut cursor = Cursor::new(self.text);
        let mut has_next = cursor.open(b'[', b']').ok()?;
        while has_next {
            visit(cursor.value(0).ok()?)?;
            has_next = cursor.has_next(b']').ok()?;
        }
        Some(())
    }
}
