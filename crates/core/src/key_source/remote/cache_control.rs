//! `Cache-Control` ([RFC 9111 §5.2]).
//!
//! [RFC 9111 §5.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2

use std::time::Duration;

/// Returns how long a document is good: nothing if it says nothing, and no time at all if it must
/// not be stored or reused.
pub(super) fn lifetime(cache_control: &str) -> Option<Duration> {
    let mut lifetime = None;
    for directive in cache_control.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            let digits = value.trim_matches('"');
            // More digits than an integer holds still say "long"; anything else says nothing.
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                lifetime = Some(Duration::from_secs(digits.parse().unwrap_or(u64::MAX / 2)));
            }
        }
    }
    lifetime
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_counts() {
        for (value, expected) in [
            ("max-age=300", Some(300)),
            ("public, Max-Age=300, must-revalidate", Some(300)),
            ("max-age=\"300\"", Some(300)),
            ("max-age=0", Some(0)),
            ("no-store", Some(0)),
            ("max-age=300, no-cache", Some(0)),
            ("max-age=99999999999999999999999", Some(u64::MAX / 2)),
            ("max-age=-1", None),
            ("max-age=", None),
            ("s-maxage=5", None),
            ("", None),
        ] {
            assert_eq!(lifetime(value), expected.map(Duration::from_secs), "{value}");
        }
    }
}
