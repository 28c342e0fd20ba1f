//! Scopes ([RFC 6749 §3.3]).
//!
//! [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeSeq};

/// A set of scope tokens, in the order in which they came ([RFC 6749 §3.3]).
///
/// It is written as one text with spaces between, which is also how it is kept.
///
/// # Examples
///
/// ```
/// use portcullis::grant::Scope;
///
/// let scope = Scope::from("orders:read  orders:write");
/// assert!(scope.contains("orders:read"));
/// assert!(!scope.contains("orders"));
/// assert_eq!(scope.to_string(), "orders:read orders:write");
/// ```
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#[derive(Clone, Default)]
pub struct Scope {
    text: Box<str>,
}

impl Scope {
    /// Tells whether a scope token is in the set. Case counts, and there are no wildcards.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        // By bytes: a search for characters takes longer to set up than such a text is.
        let mut own = self.text.as_bytes().split(|&byte| byte == b' ');
        !token.is_empty() && own.any(|own| own == token.as_bytes())
    }

    /// Tells whether there is no scope token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Returns the scope tokens.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        // The separator is the space alone; a tab is no part of the grammar and separates nothing.
        self.text.split(' ').filter(|token| !token.is_empty())
    }
}

impl From<&str> for Scope {
    /// Takes a text with spaces between scope tokens.
    fn from(text: &str) -> Self {
        Self { text: text.into() }
    }
}

impl From<String> for Scope {
    /// Takes a text with spaces between scope tokens.
    fn from(text: String) -> Self {
        Self { text: text.into() }
    }
}

impl<'a> FromIterator<&'a str> for Scope {
    /// Collects scope tokens. One that holds spaces counts as several.
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Self {
        let tokens: Vec<_> = tokens.into_iter().collect();
        Self { text: tokens.join(" ").into() }
    }
}

impl PartialEq for Scope {
    /// Compares as sets.
    fn eq(&self, other: &Self) -> bool {
        self.iter().all(|token| other.contains(token))
            && other.iter().all(|token| self.contains(token))
    }
}

impl Eq for Scope {}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl Serialize for Scope {
    /// Writes a list of scope tokens.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for token in self.iter() {
            list.serialize_element(token)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_set_of_whole_tokens() {
        let scope = Scope::from(" a  b:c ");
        assert_eq!(scope.iter().collect::<Vec<_>>(), ["a", "b:c"]);
        for absent in ["", " ", "b", "c", "a b:c", "A"] {
            assert!(!scope.contains(absent), "{absent}");
        }
        assert_eq!(scope, Scope::from_iter(["b:c", "a"]));
        assert_ne!(scope, Scope::from("a"));
        assert!(Scope::from("  ").is_empty());
    }
}
