//! Changes of cookies in a response.

use http::{HeaderMap, HeaderValue, header};
use portcullis::revocation::SetCookies;

/// Changes the cookie, unless the response changes it itself. Caches must store neither.
pub(crate) fn change_cookies(headers: &mut HeaderMap, cookies: &SetCookies) {
    if !is_changed(headers, cookies.name()) {
        // The engine writes visible ASCII, which a value can always have.
        for value in cookies.values().filter_map(|value| HeaderValue::try_from(value).ok()) {
            headers.append(header::SET_COOKIE, value);
        }
    }
    forbid_caching(headers);
}

/// Returns whether the response sets or removes the cookie of this name.
pub(crate) fn is_changed(headers: &HeaderMap, name: &str) -> bool {
    let set_cookies = headers.get_all(header::SET_COOKIE).iter();
    SetCookies::is_changed_by(name, set_cookies.map(HeaderValue::as_bytes))
}

/// Forbids caches to store the response.
pub(crate) fn forbid_caching(headers: &mut HeaderMap) {
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    if let Some(value) = SetCookies::cache_control(values.map(HeaderValue::as_bytes)) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
}
