//! The `typ` header member.

/// A value of the `typ` header member that an issuer's tokens may have.
///
/// Values are compared as media types: in any letter case, with or without the prefix
/// `application/` ([RFC 7515 §4.1.9]).
///
/// [RFC 7515 §4.1.9]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenType {
    /// The header has no `typ`.
    Absent,
    /// `JWT`.
    Jwt,
    /// `at+jwt`, an access token of RFC 9068.
    AtJwt,
    /// Another type, written without `application/`, such as `secevent+jwt`.
    Other(String),
}

impl TokenType {
    /// Returns the media type without `application/`: `None` for [`Absent`](Self::Absent).
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Jwt => Some("JWT"),
            Self::AtJwt => Some("at+jwt"),
            Self::Other(name) => Some(name),
        }
    }

    /// Tells whether a header's `typ` is of this type. An empty one names no type, which is not the
    /// same as no `typ`.
    #[inline]
    #[must_use]
    pub fn is_named_by(&self, typ: Option<&str>) -> bool {
        match (self, typ) {
            (Self::Absent, None) => true,
            (Self::Absent, Some(_)) | (_, None) => false,
            (Self::Jwt, Some(typ)) => is_media_type(typ, "JWT"),
            (Self::AtJwt, Some(typ)) => is_media_type(typ, "at+jwt"),
            (Self::Other(name), Some(typ)) => is_media_type(typ, without_application(name)),
        }
    }
}

/// Compares the `typ` of a header with a media type that lacks `application/`.
#[inline]
fn is_media_type(typ: &str, media_type: &str) -> bool {
    // As issuers write it, most of the time.
    typ == media_type || without_application(typ).eq_ignore_ascii_case(media_type)
}

/// Takes `application/` away, unless another slash follows: then it is no short form.
fn without_application(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_type_is_not_an_absent_one() {
        assert!(TokenType::Absent.is_named_by(None));
        for typ in ["", "application/", "JWT"] {
            assert!(!TokenType::Absent.is_named_by(Some(typ)), "{typ}");
        }
        assert!(TokenType::Other("application/x".to_owned()).is_named_by(Some("X")));
        for absent in [TokenType::Jwt, TokenType::AtJwt, TokenType::Other("x".to_owned())] {
            assert!(!absent.is_named_by(None));
        }
    }

    #[test]
    fn media_types_compare_in_any_case_and_with_their_prefix() {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            assert!(is_media_type(typ, "at+jwt"), "{typ}");
        }
        for typ in
            ["", "jwt", "at+jwt ", "text/at+jwt", "application/at/at+jwt", "applicatioñ/at+jwt"]
        {
            assert!(!is_media_type(typ, "at+jwt"), "{typ}");
        }
    }
}
