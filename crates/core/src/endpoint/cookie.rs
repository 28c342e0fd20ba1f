//! The cookie that holds a token: how it is set and removed ([RFC 6265 §4.1]).
//!
//! [RFC 6265 §4.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.1

use std::{borrow::Cow, time::Duration};

use crate::{TokenLocation, pipeline::is_loopback_http, revocation::EndpointError};

/// A cookie that holds a token: its name and its attributes. Browsers remove a cookie only if name, path and
/// domain are those that it was set with ([RFC 6265 §5.3]).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use portcullis::{Authenticator, revocation::CookieAttributes};
///
/// let cookie = CookieAttributes::session("session");
/// assert_eq!(cookie.full_name(), "__Host-session");
/// assert_eq!(
///     cookie.set("abc", Duration::from_secs(60))?,
///     "__Host-session=abc; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
/// );
/// // The engine reads it under the same name.
/// let builder = Authenticator::builder().locations([cookie.location()]);
/// # Ok::<(), portcullis::revocation::EndpointError>(())
/// ```
///
/// [RFC 6265 §5.3]: https://www.rfc-editor.org/rfc/rfc6265#section-5.3
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct CookieAttributes {
    name: String,
    /// Whether the name gets the prefix `__Host-` if browsers accept it with the other attributes.
    has_prefix: bool,
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

/// The longest name and value together that browsers store ([RFC 6265bis §5.7]).
///
/// [RFC 6265bis §5.7]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.7
const MAX_LEN: usize = 4096;

/// The prefix of a cookie that no other host and no other path can have set ([RFC 6265bis §4.1.3.2]).
///
/// [RFC 6265bis §4.1.3.2]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2
const HOST_PREFIX: &str = "__Host-";

impl CookieAttributes {
    /// Starts with the attributes `Path=/`, `Secure`, `HttpOnly` and `SameSite=Lax`. The name is used as
    /// given.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            has_prefix: false,
            path: "/".to_owned(),
            domain: None,
            is_secure: true,
            same_site: SameSite::Lax,
        }
    }

    /// Starts with the same attributes, for a new cookie: the name gets the prefix `__Host-` as long as the
    /// path is `/`, the cookie is secure and it has no domain. Browsers then reject a cookie of this name that
    /// another host of the domain sets, or a page over plain http.
    ///
    /// [`location`](Self::location) and [`full_name`](Self::full_name) have the prefix too.
    pub fn session(name: impl Into<String>) -> Self {
        Self { has_prefix: true, ..Self::new(name) }
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

    /// The origin under which browsers reach the service, such as `http://localhost:8080`. Leaves `Secure` out
    /// if the scheme is `http` and the host is a loopback one: `localhost`, `127.0.0.0/8` or `[::1]`. Such a
    /// connection does not leave the machine. Any other origin changes nothing.
    pub fn public_origin(self, origin: &str) -> Self {
        let is_secure = self.is_secure && !is_loopback_http(origin);
        Self { is_secure, ..self }
    }

    /// Leaves `Secure` out: for a service over plain http, whose browsers ignore such a cookie.
    ///
    /// # Security
    ///
    /// Browsers send the cookie over connections that anyone on the way can read.
    pub fn dangerous_insecure(self) -> Self {
        Self { is_secure: false, ..self }
    }

    /// Returns the name with its prefix, if it has one.
    #[must_use]
    pub fn full_name(&self) -> Cow<'_, str> {
        let may_have_prefix = self.path == "/" && self.is_secure && self.domain.is_none();
        if self.has_prefix && may_have_prefix && !self.name.starts_with(HOST_PREFIX) {
            return format!("{HOST_PREFIX}{}", self.name).into();
        }
        Cow::Borrowed(&self.name)
    }

    /// Returns the location from which an engine reads the token.
    pub fn location(&self) -> TokenLocation {
        TokenLocation::cookie(self.full_name())
    }

    /// Returns the value of `Set-Cookie` that stores a token for this long. The part of a second does not count.
    ///
    /// # Errors
    ///
    /// [`EndpointError::InvalidCookie`], also if the value is empty, has other characters than a cookie may
    /// have, or makes a cookie of over 4096 bytes, which browsers do not store.
    pub fn set(&self, value: &str, max_age: Duration) -> Result<String, EndpointError> {
        self.check()?;
        let name = self.full_name();
        let is_too_long = name.len().saturating_add(value.len()) > MAX_LEN;
        if value.is_empty() || is_too_long || !value.bytes().all(is_cookie_octet) {
            return Err(EndpointError::InvalidCookie { attribute: "value" });
        }
        Ok(self.rendered(&name, value, &format!("Max-Age={}", max_age.as_secs())))
    }

    /// Returns the value of `Set-Cookie` that removes the cookie.
    ///
    /// # Errors
    ///
    /// [`EndpointError::InvalidCookie`].
    pub fn removal(&self) -> Result<String, EndpointError> {
        self.check()?;
        // A date too, for clients that do not know `Max-Age`.
        let lifetime = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        Ok(self.rendered(&self.full_name(), "", lifetime))
    }

    fn rendered(&self, name: &str, value: &str, lifetime: &str) -> String {
        let mut text = format!("{name}={value}; Path={}", self.path);
        if let Some(domain) = &self.domain {
            text += "; Domain=";
            text += domain;
        }
        text += "; ";
        text += lifetime;
        if self.is_secure {
            text += "; Secure";
        }
        text += "; HttpOnly; SameSite=";
        text += match self.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        };
        text
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

/// Characters of a cookie's value ([RFC 6265 §4.1.1]).
///
/// [RFC 6265 §4.1.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1
fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
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

    #[test]
    fn the_name_has_the_prefix_if_browsers_accept_it() {
        let session = || CookieAttributes::session("session");
        for (cookie, name) in [
            (session(), "__Host-session"),
            (session().same_site(SameSite::Strict), "__Host-session"),
            (session().path("/app"), "session"),
            (session().domain("example.com"), "session"),
            (session().dangerous_insecure(), "session"),
            (session().public_origin("http://localhost:8080"), "session"),
            (session().public_origin("https://app.test"), "__Host-session"),
            (CookieAttributes::session("__Host-session"), "__Host-session"),
            (CookieAttributes::new("session"), "session"),
        ] {
            assert_eq!(cookie.full_name(), name, "{cookie:?}");
            assert_eq!(cookie.location(), TokenLocation::cookie(name));
            let set = cookie.set("a.b-c_d", Duration::from_millis(90_999)).unwrap();
            assert!(set.starts_with(&format!("{name}=a.b-c_d; Path=")), "{set}");
            assert!(set.contains("; Max-Age=90; "), "{set}");
            let removal = cookie.removal().unwrap();
            assert!(removal.starts_with(&format!("{name}=; Path=")), "{removal}");
        }
    }

    #[test]
    fn a_cookie_is_insecure_on_loopback_alone() {
        for (origin, is_secure) in [
            ("http://localhost", false),
            ("http://LOCALHOST:8080", false),
            ("http://127.0.0.1:8080", false),
            ("http://127.8.0.1", false),
            ("http://[::1]:8080", false),
            ("https://localhost", true),
            ("http://app.test", true),
            ("http://localhost.evil.test", true),
            ("http://127.0.0.1.evil.test", true),
            ("http://10.0.0.1", true),
            ("http://0.0.0.0", true),
            ("localhost", true),
            ("", true),
        ] {
            let set = CookieAttributes::session("s").public_origin(origin).set("a", Duration::ZERO);
            assert_eq!(set.unwrap().contains("; Secure"), is_secure, "{origin}");
        }
    }

    #[test]
    fn a_value_that_browsers_would_cut_or_drop_is_an_error() {
        let cookie = CookieAttributes::session("s");
        let set = |value: &str| cookie.set(value, Duration::ZERO);
        let error = EndpointError::InvalidCookie { attribute: "value" };
        for value in ["", "a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nb", "ü"] {
            assert_eq!(set(value), Err(error.clone()), "{value}");
        }
        let name_len = "__Host-s".len();
        assert!(set(&"a".repeat(4096 - name_len)).is_ok());
        assert_eq!(set(&"a".repeat(4097 - name_len)), Err(error));
    }
}
