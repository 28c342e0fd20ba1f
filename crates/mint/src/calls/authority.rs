//! The authority of a URI ([RFC 3986 §3.2]).
//!
//! [RFC 3986 §3.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2

/// Returns host and port. If what follows the host is not a port, returns the whole text without the user: readers of
/// URIs disagree on `[::1].example.com` and `localhost:example.com`, and a proxy may read more of them than a client.
pub(super) fn split(authority: &str) -> Result<(&str, Option<u16>), &str> {
    let whole = authority.rsplit_once('@').map_or(authority, |(_, whole)| whole);
    let end = match whole.strip_prefix('[').and_then(|rest| rest.find(']')) {
        // Both brackets are part of the host.
        Some(end) => end + 2,
        None => whole.find(':').unwrap_or(whole.len()),
    };
    let (Some(host), Some(rest)) = (whole.get(..end), whole.get(end..)) else { return Err(whole) };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    if port.is_empty() {
        return Ok((host, None));
    }
    let is_port = rest.len() != port.len() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if is_port => Ok((host, Some(port))),
        _ => Err(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_port_may_follow_the_host() {
        for (authority, expected) in [
            ("a.test", Ok(("a.test", None))),
            ("a.test:443", Ok(("a.test", Some(443)))),
            ("a.test:", Ok(("a.test", None))),
            ("user:pw@a.test:1", Ok(("a.test", Some(1)))),
            ("[::1]", Ok(("[::1]", None))),
            ("[::1]:8080", Ok(("[::1]", Some(8080)))),
            ("x@y@a.test", Ok(("a.test", None))),
            ("[::1].a.test", Err("[::1].a.test")),
            ("[::1", Err("[::1")),
            ("localhost:a.test", Err("localhost:a.test")),
            ("x@localhost:80a.test", Err("localhost:80a.test")),
            ("127.0.0.1:+80", Err("127.0.0.1:+80")),
            ("a.test:99999", Err("a.test:99999")),
            ("a.test:1:2", Err("a.test:1:2")),
            ("", Ok(("", None))),
        ] {
            assert_eq!(split(authority), expected, "{authority}");
        }
    }
}
