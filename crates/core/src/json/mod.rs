//! A strict reader of JSON objects that allocates nothing.
//!
//! A token's header and claims are read once, as a list of members that point into the text.
//! `serde_json` reads what the application asks for as its own type; here, before the signature is
//! proven, what counts is that nothing grows with hostile input and that no member is there twice.

mod cursor;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use smallvec::SmallVec;

use self::cursor::Cursor;

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

/// One value: its type and its text, the quotes of a string included.
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
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// Returns the value of a string.
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::String { escaped: false } => Some(Cow::Borrowed(unquote(self.text))),
            Kind::String { escaped: true } => serde_json::from_str(self.text).ok().map(Cow::Owned),
            _ => None,
        }
    }

    /// Returns the members of an object; `None` too if one is there twice.
    pub(crate) fn as_object(self) -> Option<Object<'a>> {
        (self.kind == Kind::Object).then(|| Object::parse(self.text).ok()).flatten()
    }

    /// Calls `visit` for each element of an array until it returns `None`; `None` too for a value
    /// that is no array.
    pub(crate) fn each_element(self, mut visit: impl FnMut(Self) -> Option<()>) -> Option<()> {
        if self.kind != Kind::Array {
            return None;
        }
        Cursor::new(self.text).array(0, &mut |value| visit(value).ok_or(JsonError::Syntax)).ok()
    }
}

/// Takes the quotes off; the scanner has seen both.
fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[derive(Clone, Copy, Debug)]
struct Member<'a> {
    /// The name between its quotes, escapes and all.
    name: &'a str,
    escaped: bool,
    value: Value<'a>,
}

impl Member<'_> {
    fn is_named(&self, name: &str) -> bool {
        if self.escaped { self.unescaped_name() == name } else { self.name == name }
    }

    fn unescaped_name(&self) -> Cow<'_, str> {
        if !self.escaped {
            return Cow::Borrowed(self.name);
        }
        serde_json::from_str(&format!("\"{}\"", self.name))
            .map_or(Cow::Borrowed(self.name), Cow::Owned)
    }
}

/// The members of one object, in the order of the text. No two have the same name.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a> {
    members: SmallVec<[Member<'a>; INLINE]>,
}

const INLINE: usize = 16;

impl<'a> Object<'a> {
    /// Reads a whole text as one object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, JsonError> {
        let mut members = SmallVec::new();
        let mut any_escaped = false;
        let mut cursor = Cursor::new(text);
        cursor.skip_white_space();
        if cursor.peek() != Some(b'{') {
            // Told apart from bad syntax, because `["alg"]` and `"text"` are well-formed JSON.
            return Err(JsonError::NotAnObject);
        }
        cursor.object(0, &mut |name, escaped, value| {
            any_escaped |= escaped;
            members.push(Member { name, escaped, value });
            Ok(())
        })?;
        cursor.skip_white_space();
        if cursor.peek().is_some() {
            return Err(JsonError::Syntax);
        }
        let object = Self { members };
        let unique = if any_escaped || object.members.len() > INLINE {
            object.names_are_unique_when_sorted()
        } else {
            object.plain_names_are_unique()
        };
        if unique { Ok(object) } else { Err(JsonError::DuplicateMember) }
    }

    /// Returns the value of a member.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.members.iter().find(|member| member.is_named(name)).map(|member| member.value)
    }

    fn plain_names_are_unique(&self) -> bool {
        let mut rest = self.members.as_slice();
        while let Some((first, others)) = rest.split_first() {
            if others.iter().any(|other| other.name == first.name) {
                return false;
            }
            rest = others;
        }
        true
    }

    /// For names that are many or escaped: time grows with n log n, whoever chose the names.
    fn names_are_unique_when_sorted(&self) -> bool {
        let mut names: Vec<_> = self.members.iter().map(Member::unescaped_name).collect();
        names.sort_unstable();
        names.is_sorted_by(|a, b| a < b)
    }
}
