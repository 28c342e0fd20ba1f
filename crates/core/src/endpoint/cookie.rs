//! The cookie that a logout removes ([RFC 6265 §4.1]).
//!
//! [RFC 6265 §4.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.1

use crate::revocation::EndpointError;

/// A cookie that holds a token: its name and its attributes, as it was set. Browsers remove a cookie only if
/// name, path and domain are the same ([RFC 6265 §5.3]).
///
/// [RFC 6265 §5.3]: https://www.rfc-editor.org/rfc/rfc6265#section-5.3
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct CookieAttributes {
    name: String,
    path: String,
    domain: Option<String>,
    is_secure: bool,
    same_site: SameSite,
}

/// With which requests of other sites a browser sends a cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SameSite {
    /// With none.
    Strict,
    /// With those that open a page by a safe method.
    Lax,
    /// With all.
    None,
}

impl CookieAttributes {
    /// Starts with the attributes `Path=/`, `Secure`, `HttpOnly` and `SameSite=Lax`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: "/".to_owned(),
            domain: None,
            is_secure: true,
            same_site: SameSite::Lax,
        }
    }

    /// The path. Default: `/`.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// The domain. Default: none, so that the cookie is for this host alone.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// With which requests of other sites the cookie is sent. Default: [`SameSite::Lax`].
    pub fn same_site(self, same_site: SameSite) -> Self {
        Self { same_site, ..self }
    }

    /// Leaves `Secure` out: for a service over plain http, whose browsers ignore such a cookie.
    ///
    /// # Security
    ///
    /// Browsers send the cookie over connections that anyone on the way can read.
    pub fn dangerous_insecure(self) -> Self {
        Self { is_secure: false, ..self }
    }

    /// Returns the value of `Set-Cookie` that removes the cookie.
    ///
    /// # Errors
    ///
    /// [`EndpointError::InvalidCookie`].
    pub(crate) fn removal(&self) -> Result<String, EndpointError> {
        self.check()?;
        let mut value = format!("{}=; Path={}", self.name, self.path);
        if let Some(domain) = &self.domain {
            value += "; Domain=";
            value += domain;
        }
        // A date too, for clients that do not know `Max-Age`.
        value += "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        if self.is_secure {
            value += "; Secure";
        }
        value += "; HttpOnly; SameSite=";
        value += match self.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        };
        Ok(value)
    }

    fn check(&self) -> Result<(), EndpointError> {
        let invalid = |attribute| Err(EndpointError::InvalidCookie { attribute });
        let has_prefix = |prefix: &str| {
            let start = self.name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let is_for_host = has_prefix("__Host-");
        let is_value = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
        };
        if self.name.is_empty() || !self.name.bytes().all(is_token_byte) {
            return invalid("name");
        }
        if !is_value(&self.path) || !self.path.starts_with('/') || (is_for_host && self.path != "/")
        {
            return invalid("Path");
        }
        if self.domain.as_deref().is_some_and(|domain| !is_value(domain) || is_for_host) {
            return invalid("Domain");
        }
        let must_be_secure =
            is_for_host || has_prefix("__Secure-") || self.same_site == SameSite::None;
        if must_be_secure && !self.is_secure { invalid("Secure") } else { Ok(()) }
    }
}

/// Characters of a `token` ([RFC 9110 §5.6.2]).
///
/// [RFC 9110 §5.6.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_removed_by_the_attributes_that_it_was_set_with() {
        let session = CookieAttributes::new("session");
        let past = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(
            session.removal().unwrap(),
            format!("session=; Path=/; {past}; Secure; HttpOnly; SameSite=Lax")
        );
        let other = session.path("/app").domain("example.com").same_site(SameSite::Strict);
        assert_eq!(
            other.dangerous_insecure().removal().unwrap(),
            format!("session=; Path=/app; Domain=example.com; {past}; HttpOnly; SameSite=Strict")
        );
    }

    #[test]
    fn a_cookie_that_browsers_ignore_or_misread_is_an_error() {
        let new = CookieAttributes::new;
        for (cookie, attribute) in [
            (new(""), "name"),
            (new("a b"), "name"),
            (new("a=b"), "name"),
            (new("a;b"), "name"),
            (new("a\r\nx"), "name"),
            (new("a").path(""), "Path"),
            (new("a").path("app"), "Path"),
            (new("a").path("/; Domain=evil.example"), "Path"),
            (new("a").path("/\r\nx: y"), "Path"),
            (new("__Host-a").path("/app"), "Path"),
            (new("__host-a").path("/app"), "Path"),
            (new("a").domain(""), "Domain"),
            (new("a").domain("a;b"), "Domain"),
            (new("__Host-a").domain("example.com"), "Domain"),
            (new("__Host-a").dangerous_insecure(), "Secure"),
            (new("__Secure-a").dangerous_insecure(), "Secure"),
            (new("a").same_site(SameSite::None).dangerous_insecure(), "Secure"),
        ] {
            let error = EndpointError::InvalidCookie { attribute };
            assert_eq!(cookie.removal(), Err(error), "{cookie:?}");
        }
        assert!(new("__Host-a").removal().is_ok());
        assert!(new("__Secure-a").path("/app").domain("example.com").removal().is_ok());
    }
}
