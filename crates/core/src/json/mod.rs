//! A strict reader of JSON objects that allocates nothing.
//!
//! A token's header and claims are read once, as a list of members that point into the text.
//! `serde_json` reads what the application asks for as its own type; here, before the signature is
//! proven, what counts is that nothing grows with hostile input and that no member is there twice.

mod cursor;
mod name;
mod object;
mod reader;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::cursor::Cursor;
pub(crate) use self::{name::Name, object::Object, reader::Reader};

/// How deep objects and arrays may nest. Tokens of real issuers stay below ten.
pub(crate) const MAX_DEPTH: u8 = 32;

/// Why a text is not a JSON object that we read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum JsonError {
    Syntax,
    NotAnObject,
    TooDeep,
    DuplicateMember,
}

impl JsonError {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Syntax => "not valid JSON",
            Self::NotAnObject => "not a JSON object",
            Self::TooDeep => "nested too deeply",
            Self::DuplicateMember => "a member is there twice",
        }
    }
}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A string; `escaped` if it holds a backslash.
    String {
        escaped: bool,
    },
    Number,
    Bool,
    Null,
    Array,
    Object,
}

/// One value: its type and its text, without the quotes of a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    kind: Kind,
    text: &'a str,
}

impl<'a> Value<'a> {
    pub(crate) fn kind(self) -> Kind {
        self.kind
    }

    /// Returns the value as it stands in the document.
    pub(crate) fn json(self) -> Cow<'a, str> {
        match self.kind {
            Kind::String { .. } => Cow::Owned(format!("\"{}\"", self.text)),
            _ => Cow::Borrowed(self.text),
        }
    }

    /// Returns the text of a number.
    pub(crate) fn as_number(self) -> Option<&'a str> {
        (self.kind == Kind::Number).then_some(self.text)
    }

    /// Returns the value of a string.
    #[inline]
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
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
    pub(crate) fn as_object(self) -> Option<Object<'a>> {
        self.read_object().and_then(Result::ok)
    }

    /// Reads the members of an object; `None` for a value that is no object.
    pub(crate) fn read_object(self) -> Option<Result<Object<'a>, JsonError>> {
        (self.kind == Kind::Object).then(|| Object::parse(self.text))
    }

    /// Calls `visit` for each element of an array until it returns `None`; `None` too for a value
    /// that is no array.
    pub(crate) fn each_element(self, mut visit: impl FnMut(Self) -> Option<()>) -> Option<()> {
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
