//! The fields `Set-Cookie` that change one cookie.

use std::{fmt, sync::Arc, time::Duration};

use super::CookieAttributes;
use crate::revocation::EndpointError;

/// The fields `Set-Cookie` that set or remove one cookie with a token. `Debug` does not show the token.
///
/// There is more than one field if cookies that an older version of the service has left are removed too. A
/// response with them must not be stored by caches: give it `Cache-Control: no-store`.
#[derive(Clone)]
pub struct SetCookies {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    values: Vec<String>,
}

impl SetCookies {
    /// Sets a cookie, and removes others.
    ///
    /// # Errors
    ///
    /// As [`CookieAttributes::set`].
    pub fn set<'c>(
        cookie: &CookieAttributes,
        value: &str,
        max_age: Duration,
        others: impl IntoIterator<Item = &'c CookieAttributes>,
    ) -> Result<Self, EndpointError> {
        Self::new(cookie, cookie.set(value, max_age), others)
    }

    /// Removes a cookie and others.
    ///
    /// # Errors
    ///
    /// As [`CookieAttributes::removal`].
    pub fn remove<'c>(
        cookie: &CookieAttributes,
        others: impl IntoIterator<Item = &'c CookieAttributes>,
    ) -> Result<Self, EndpointError> {
        Self::new(cookie, cookie.removal(), others)
    }

    fn new<'c>(
        cookie: &CookieAttributes,
        own: Result<String, EndpointError>,
        others: impl IntoIterator<Item = &'c CookieAttributes>,
    ) -> Result<Self, EndpointError> {
        let others = others.into_iter().map(CookieAttributes::removal);
        let values = std::iter::once(own).chain(others).collect::<Result<_, _>>()?;
        let name = cookie.full_name().into_owned();
        Ok(Self { inner: Arc::new(Inner { name, values }) })
    }

    /// Returns the name of the cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns the values of the fields `Set-Cookie`. Each is visible ASCII and spaces.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.inner.values.iter().map(String::as_str)
    }

    /// Returns whether one of the values of `Set-Cookie` in a response sets or removes this cookie: that of the
    /// handler takes precedence.
    #[must_use]
    pub fn is_changed_by<'v>(name: &str, set_cookies: impl IntoIterator<Item = &'v [u8]>) -> bool {
        set_cookies.into_iter().any(|value| {
            let pair = value.split(|&byte| byte == b';').next().unwrap_or_default();
            let own = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
            own.trim_ascii() == name.as_bytes()
        })
    }

    /// Returns the `Cache-Control` that replaces those of a response that changes the cookie ([RFC 9111 §5.2.2.5]):
    /// `None` if one of them forbids to store it already.
    ///
    /// [RFC 9111 §5.2.2.5]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5
    pub fn cache_control<'v>(
        cache_controls: impl IntoIterator<Item = &'v [u8]>,
    ) -> Option<&'static str> {
        let mut directives =
            cache_controls.into_iter().flat_map(|value| value.split(|&byte| byte == b','));
        let is_no_store =
            |directive: &[u8]| directive.trim_ascii().eq_ignore_ascii_case(b"no-store");
        (!directives.any(is_no_store)).then_some("no-store")
    }
}

impl fmt::Debug for SetCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookies").field("name", &self.name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_set_and_those_of_older_versions_are_removed() {
        let cookie = CookieAttributes::session("s").path("/app");
        let old = CookieAttributes::new("s");
        let set = SetCookies::set(&cookie, "secret", Duration::from_secs(5), [&old]).unwrap();
        let values: Vec<_> = set.values().collect();
        assert_eq!(values.len(), 2);
        assert!(values[0].starts_with("s=secret; Path=/app; Max-Age=5;"), "{values:?}");
        assert!(values[1].starts_with("s=; Path=/; Max-Age=0;"), "{values:?}");
        assert!(!format!("{set:?}").contains("secret"));
        assert!(SetCookies::remove(&cookie, [&CookieAttributes::new("a b")]).is_err());
    }

    #[test]
    fn only_a_field_of_the_same_name_changes_the_cookie() {
        let is_changed = |values: &[&str]| {
            SetCookies::is_changed_by("__Host-s", values.iter().map(|value| value.as_bytes()))
        };
        assert!(is_changed(&["a=b; Path=/", "__Host-s=; Max-Age=0"]));
        assert!(is_changed(&[" __Host-s = x"]));
        for value in ["", "s=1", "__Host-s2=1", "a=__Host-s=1", "a=1; __Host-s=2", "__host-s=1"] {
            assert!(!is_changed(&[value]), "{value}");
        }
        assert!(!is_changed(&[]));
    }

    #[test]
    fn a_response_that_changes_the_cookie_is_stored_by_no_cache() {
        let replaced = |values: &[&str]| {
            SetCookies::cache_control(values.iter().map(|value| value.as_bytes()))
        };
        for values in [&[][..], &["public, max-age=60"], &["no-cache"], &["x-no-store", "private"]]
        {
            assert_eq!(replaced(values), Some("no-store"), "{values:?}");
        }
        for values in
            [&["no-store"][..], &["private,No-Store ,max-age=0"], &["private", "no-store"]]
        {
            assert_eq!(replaced(values), None, "{values:?}");
        }
    }
}
