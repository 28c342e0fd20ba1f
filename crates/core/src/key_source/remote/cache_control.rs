//! `Cache-Control` ([RFC 9111 §5.2]) and `Age` ([RFC 9111 §5.1]).
//!
//! [RFC 9111 §5.1]: https://www.rfc-editor.org/rfc/rfc9111#section-5.1
//! [RFC 9111 §5.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2

use std::time::Duration;

/// Returns how long a document is still good: nothing if it says nothing, and no time at all if it must
/// not be stored or reused. The time that it has spent in caches is over ([RFC 9111 §4.2.3]).
///
/// [RFC 9111 §4.2.3]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.3
pub(super) fn lifetime(cache_control: Option<&str>, age: Option<&str>) -> Option<Duration> {
    let age = age.and_then(seconds).unwrap_or_default();
    cache_control.and_then(max_age).map(|max_age| max_age.saturating_sub(age))
}

fn max_age(cache_control: &str) -> Option<Duration> {
    let mut lifetime = None;
    for directive in cache_control.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            lifetime = seconds(value.trim_matches('"')).or(lifetime);
        }
    }
    lifetime
}

/// Reads a number of seconds ([RFC 9111 §1.2.2]).
///
/// [RFC 9111 §1.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-1.2.2
pub(super) fn seconds(digits: &str) -> Option<Duration> {
    // More digits than an integer holds still say "long"; anything else says nothing.
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::MAX / 2)))
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
            let lifetime = lifetime(Some(value), None);
            assert_eq!(lifetime, expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn the_age_is_part_of_the_life() {
        for (age, expected) in [
            ("0", 300),
            ("120", 180),
            ("300", 0),
            ("500", 0),
            ("-1", 300),
            ("", 300),
            ("1, 2", 300),
        ] {
            let lifetime = lifetime(Some("max-age=300"), Some(age));
            assert_eq!(lifetime, Some(Duration::from_secs(expected)), "{age}");
        }
        assert_eq!(lifetime(Some("no-store"), Some("5")), Some(Duration::ZERO));
        assert_eq!(lifetime(None, Some("5")), None);
    }
}
