//! Where in the claims a value is: a member name, or a JSON pointer.

use std::{borrow::Cow, collections::VecDeque, fmt};

use super::{NotIncluded, not_included};
use crate::{
    AuthError, AuthErrorKind,
    json::{Kind, Name, Object, Value},
};

/// The place of one claim: a plain member name, or with a leading slash a JSON pointer
/// ([RFC 6901]).
///
/// [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901
#[derive(Clone, Debug)]
pub(crate) struct ClaimPath {
    first: Member,
    rest: Vec<Box<str>>,
}

/// A member of the claims, resolved when the configuration is built.
#[derive(Clone, Debug)]
enum Member {
    Registered(Name),
    Other(Box<str>),
}

impl ClaimPath {
    pub(crate) fn parse(text: &str) -> Result<Self, ClaimPathError> {
        let segments = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescape).collect::<Option<_>>(),
            None if text.is_empty() => None,
            None => Some(VecDeque::from([text.into()])),
        };
        segments
            .and_then(Self::from_segments)
            .ok_or_else(|| ClaimPathError { path: text.to_owned() })
    }

    /// Returns the path of a registered member.
    pub(crate) fn registered(name: Name) -> Self {
        Self { first: Member::Registered(name), rest: Vec::new() }
    }

    fn from_segments(mut segments: VecDeque<Box<str>>) -> Option<Self> {
        let first = segments.pop_front()?;
        let first = match Name::of(first.as_bytes()) {
            Some(name) => Member::Registered(name),
            None => Member::Other(first),
        };
        Some(Self { first, rest: segments.into() })
    }

    /// Tells whether this is one of the dates that the standard knows ([RFC 7519 §4.1.4] to §4.1.6).
    ///
    /// [RFC 7519 §4.1.4]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
    pub(crate) fn is_date(&self) -> bool {
        let is_date = matches!(self.first, Member::Registered(Name::Exp | Name::Nbf | Name::Iat));
        is_date && self.rest.is_empty()
    }

    pub(crate) fn parse_all<I>(texts: I) -> Result<Vec<Self>, ClaimPathError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        texts.into_iter().map(|text| Self::parse(text.as_ref())).collect()
    }

    /// Returns whether the path leads to, or through, this member of the claims.
    pub(crate) fn starts_with(&self, name: Name) -> bool {
        matches!(self.first, Member::Registered(first) if first == name)
    }

    /// Finds the value of the first step.
    #[inline]
    pub(crate) fn find_first<'a>(&self, claims: &Object<'a>) -> Option<Value<'a>> {
        match &self.first {
            Member::Registered(name) => claims.get(*name),
            Member::Other(name) => claims.find_other(name),
        }
    }

    /// Finds the value, which must be included in the token; `None` as for [`find`](Self::find).
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::ClaimNotIncluded`] if the token names another source for the claim, and those
    /// of [`find`](Self::find).
    pub(crate) fn find_included<'a>(
        &self,
        claims: &Object<'a>,
    ) -> Result<Option<Value<'a>>, AuthError> {
        if NotIncluded::of(claims)?.is_some_and(|not_included| not_included.has(self)) {
            return Err(not_included());
        }
        self.find(claims)
    }

    /// Finds the value; `None` if a step of the way is missing or `null`.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::MalformedClaim`] if a step is there and is no object, and
    /// [`AuthErrorKind::MalformedToken`] if it has a member twice: neither is taken for missing.
    pub(crate) fn find<'a>(&self, claims: &Object<'a>) -> Result<Option<Value<'a>>, AuthError> {
        let mut value = self.find_first(claims);
        for segment in &self.rest {
            let Some(step) = value.filter(|value| value.kind() != Kind::Null) else {
                return Ok(None);
            };
            value = match step.read_object() {
                Some(Ok(object)) => object.find(segment),
                Some(Err(error)) => {
                    return Err(AuthError::because(AuthErrorKind::MalformedToken, error.reason()));
                }
                None => {
                    let reason = "a step of a claim's path is no object";
                    return Err(AuthError::because(AuthErrorKind::MalformedClaim, reason));
                }
            };
        }
        Ok(value)
    }
}

/// A claim that is named by nothing or by a malformed JSON pointer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimPathError {
    path: String,
}

impl ClaimPathError {
    /// Returns the text that names no claim.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Replaces the text.
    #[doc(hidden)]
    #[must_use]
    pub fn with_path(self, replace: impl FnOnce(String) -> String) -> Self {
        Self { path: replace(self.path) }
    }
}

impl fmt::Display for ClaimPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        write!(
            f,
            "`{path}` names no claim: give a member name, or a JSON pointer with `~0` for `~` and \
             `~1` for `/`"
        )
    }
}

impl std::error::Error for ClaimPathError {}

/// `~1` stands for a slash and `~0` for a tilde; any other tilde is an error.
fn unescape(segment: &str) -> Option<Box<str>> {
    let unescaped: Cow<'_, str> = if segment.contains('~') {
        let without_slashes = segment.replace("~1", "/");
        let bare = without_slashes.replace("~0", "");
        if bare.contains('~') {
            return None;
        }
        without_slashes.replace("~0", "~").into()
    } else {
        segment.into()
    };
    Some(unescaped.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_and_pointers() {
        let claims = r#"{"https://k/roles":1,"a":{"b/c":{"~d":2}},"":{"":3}}"#;
        let claims = Object::parse(claims).unwrap();
        for (path, expected) in [
            ("https://k/roles", Some("1")),
            ("/a/b~1c/~0d", Some("2")),
            ("//", Some("3")),
            ("/a/b", None),
            ("missing", None),
        ] {
            let found = ClaimPath::parse(path).unwrap().find(&claims).unwrap();
            assert_eq!(found.map(|value| value.json()).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_step_of_another_form_is_an_error_and_not_missing() {
        let claims = r#"{"text":"x","list":[],"null":null,"twice":{"a":1,"a":2}}"#;
        let claims = Object::parse(claims).unwrap();
        for (path, expected) in [
            ("/text/a", Err(AuthErrorKind::MalformedClaim)),
            ("/list/0", Err(AuthErrorKind::MalformedClaim)),
            ("/twice/a", Err(AuthErrorKind::MalformedToken)),
            ("/null/a", Ok(false)),
            ("/missing/a", Ok(false)),
        ] {
            let found = ClaimPath::parse(path).unwrap().find(&claims);
            let found = found.map(|value| value.is_some()).map_err(|error| error.kind());
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn rejects_what_is_no_pointer() {
        for path in ["", "/a~2b", "/~"] {
            assert!(ClaimPath::parse(path).is_err(), "{path}");
        }
    }
}
