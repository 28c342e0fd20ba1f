//! Resource identifiers ([RFC 9728 §1.2]).
//!
//! [RFC 9728 §1.2]: https://www.rfc-editor.org/rfc/rfc9728#section-1.2

use std::net::{Ipv4Addr, Ipv6Addr};

/// What is put in between host and path ([RFC 9728 §3]).
///
/// [RFC 9728 §3]: https://www.rfc-editor.org/rfc/rfc9728#section-3
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// So long that the URL of the metadata still fits in a challenge.
const MAX_LEN: usize = 200;

/// A URL that names a protected resource or an authorization server.
///
/// Clients compare such URLs byte for byte ([RFC 9728 §3.3]), and most have read them with a library
/// that puts them into their normal form. One that is not in that form is rejected, so that nothing
/// is ever changed here.
///
/// [RFC 9728 §3.3]: https://www.rfc-editor.org/rfc/rfc9728#section-3.3
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Identifier<'a> {
    /// Scheme, host and port.
    origin: &'a str,
    /// Empty, or with a slash in front.
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Identifier<'a> {
    /// Takes a URL apart. The error says what to change.
    pub(super) fn parse(url: &'a str) -> Result<Self, &'static str> {
        if url.len() > MAX_LEN {
            return Err("make it 200 characters at most, so that challenges can name its metadata");
        }
        let (is_https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err("give a whole URL that starts with `https://`"),
        };
        if rest.contains('#') {
            return Err("leave the fragment out");
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_loopback = check_authority(authority, is_https)?;
        if !is_https && !is_loopback {
            return Err("start it with `https://`; plain http is for this machine alone");
        }
        check_characters(path)?;
        check_characters(query.unwrap_or_default())?;
        if path.split('/').any(is_dot_segment) {
            return Err("write the path without the segments `.` and `..`");
        }
        let origin = url.get(..url.len() - path.len() - query.map_or(0, |query| query.len() + 1));
        Ok(Self { origin: origin.unwrap_or_default(), path, query })
    }

    pub(super) fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// Tells whether this is a host as a whole, which is the same with and without a slash at its
    /// end ([RFC 3986 §6.2.3]).
    ///
    /// [RFC 3986 §6.2.3]: https://www.rfc-editor.org/rfc/rfc3986#section-6.2.3
    pub(super) fn is_whole_host(&self) -> bool {
        matches!(self.path, "" | "/") && self.query.is_none()
    }

    pub(super) fn origin(&self) -> &'a str {
        self.origin
    }

    /// The path of the metadata on the host. A slash at the end is taken off, as clients do, behind
    /// a path too ([RFC 9728 §3.1]).
    ///
    /// [RFC 9728 §3.1]: https://www.rfc-editor.org/rfc/rfc9728#section-3.1
    pub(super) fn metadata_path(&self) -> String {
        format!("{WELL_KNOWN}{}", self.path.strip_suffix('/').unwrap_or(self.path))
    }

    pub(super) fn metadata_url(&self) -> String {
        let url = format!("{}{}", self.origin, self.metadata_path());
        match self.query {
            Some(query) => format!("{url}?{query}"),
            None => url,
        }
    }
}

/// Checks host and port, and tells whether the host is this machine.
fn check_authority(authority: &str, is_https: bool) -> Result<bool, &'static str> {
    if authority.contains('@') {
        return Err("leave user name and password out");
    }
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if let Some(port) = port {
        let is_default = port == if is_https { "443" } else { "80" };
        let is_port =
            port.parse().is_ok_and(|number: u16| number != 0 && number.to_string() == port);
        if is_default || !is_port {
            return Err("give a port from 1 to 65535, and none where it is the scheme's own");
        }
    }
    check_host(host)
}

fn check_host(host: &str) -> Result<bool, &'static str> {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return match address.parse::<Ipv6Addr>() {
            Ok(parsed) if parsed.to_string() == address => Ok(parsed.is_loopback()),
            _ => Err("write the IPv6 address in its short form, such as `[2001:db8::1]`"),
        };
    }
    let is_label = |label: &str| {
        let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        !label.is_empty() && label.bytes().all(is_letter)
    };
    if !host.split('.').all(is_label) {
        return Err(
            "write the host with lower-case letters, digits, `-` and `.`; a name in other \
                    letters starts with `xn--`",
        );
    }
    // Clients read a host whose last label is a number as an IPv4 address, `127.1` and `0x7f.1` too.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return match host.parse::<Ipv4Addr>() {
            Ok(address) => Ok(address.is_loopback()),
            Err(_) => Err("write the IPv4 address as four numbers"),
        };
    }
    Ok(host == "localhost")
}

/// Checks the characters of a path or a query ([RFC 3986 §3.3], [§3.4]).
///
/// [RFC 3986 §3.3]: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
/// [§3.4]: https://www.rfc-editor.org/rfc/rfc3986#section-3.4
fn check_characters(text: &str) -> Result<(), &'static str> {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let is_fine = match byte {
            b'%' => [rest.next(), rest.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte),
        };
        if !is_fine {
            return Err(
                "write characters that a URL cannot hold as `%` and two hexadecimal digits",
            );
        }
    }
    Ok(())
}

/// Tells whether a client takes this segment out of the path before it asks.
fn is_dot_segment(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(plain.as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_goes_between_host_and_path() {
        for (resource, url) in [
            // The examples of RFC 9728 §3.1.
            (
                "https://resource.example.com",
                "https://resource.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://resource.example.com/resource1",
                "https://resource.example.com/.well-known/oauth-protected-resource/resource1",
            ),
            ("https://a.test/", "https://a.test/.well-known/oauth-protected-resource"),
            ("https://a.test/mcp/", "https://a.test/.well-known/oauth-protected-resource/mcp"),
            ("https://a.test/a//b", "https://a.test/.well-known/oauth-protected-resource/a//b"),
            ("https://a.test?t=1", "https://a.test/.well-known/oauth-protected-resource?t=1"),
            ("https://a.test/?t=1", "https://a.test/.well-known/oauth-protected-resource?t=1"),
            ("https://a.test/m?t=/", "https://a.test/.well-known/oauth-protected-resource/m?t=/"),
            (
                "https://[2001:db8::1]:8443/m",
                "https://[2001:db8::1]:8443/.well-known/oauth-protected-resource/m",
            ),
            ("http://[::1]/m", "http://[::1]/.well-known/oauth-protected-resource/m"),
            (
                "http://127.0.0.1:8080/m",
                "http://127.0.0.1:8080/.well-known/oauth-protected-resource/m",
            ),
            (
                "https://a.test/caf%C3%A9/a:b@c",
                "https://a.test/.well-known/oauth-protected-resource/caf%C3%A9/a:b@c",
            ),
        ] {
            let found = Identifier::parse(resource).map(|identifier| identifier.metadata_url());
            assert_eq!(found.unwrap_or_default(), url, "{resource}");
        }
    }

    #[test]
    fn a_url_that_a_client_would_read_as_another_is_rejected() {
        let too_long = format!("https://a.test/{}", "x".repeat(MAX_LEN));
        for (url, way_out) in [
            (too_long.as_str(), "200"),
            ("", "https://"),
            ("api.example.com", "https://"),
            ("//api.example.com", "https://"),
            ("HTTPS://api.example.com", "https://"),
            ("https:/api.example.com", "https://"),
            ("urn:example:api", "https://"),
            ("http://api.example.com", "https://"),
            ("http://127.0.0.1.example.com", "https://"),
            ("http://localhost.example.com", "https://"),
            ("http://10.0.0.1/", "https://"),
            ("https://a.test/#", "fragment"),
            ("https://a.test#x", "fragment"),
            ("https://user:secret@a.test/", "user name"),
            ("https://@a.test/", "user name"),
            ("https://", "host"),
            ("https:///m", "host"),
            ("https://?x", "host"),
            ("https://A.test", "host"),
            ("https://a..test", "host"),
            ("https://a.test.", "host"),
            ("https://bücher.test", "host"),
            ("https://a%2etest", "host"),
            ("https://a test", "host"),
            ("https://a.test\\m", "host"),
            ("https://a.test:443/m", "port"),
            ("http://localhost:80", "port"),
            ("https://a.test:", "port"),
            ("https://a.test:0", "port"),
            ("https://a.test:08443", "port"),
            ("https://a.test:+8443", "port"),
            ("https://a.test:65536", "port"),
            ("http://127.0.0.1:80800", "port"),
            ("https://127.1", "IPv4"),
            ("https://127.0.0.01", "IPv4"),
            ("https://2130706433", "IPv4"),
            ("https://0x7f.0x1", "IPv4"),
            ("https://[2001:DB8::1]", "IPv6"),
            ("https://[2001:db8:0:0::1]", "IPv6"),
            ("https://[fe80::1%25eth0]", "IPv6"),
            ("https://[::1", "host"),
            ("https://a.test/../m", "segments"),
            ("https://a.test/m/.", "segments"),
            ("https://a.test/m/%2E%2e", "segments"),
            ("https://a.test/{m}", "hexadecimal"),
            ("https://a.test/m n", "hexadecimal"),
            ("https://a.test/m\r\nx: y", "hexadecimal"),
            ("https://a.test/m\"", "hexadecimal"),
            ("https://a.test/m\\n", "hexadecimal"),
            ("https://a.test/é", "hexadecimal"),
            ("https://a.test/%", "hexadecimal"),
            ("https://a.test/%4", "hexadecimal"),
            ("https://a.test/m?%zz", "hexadecimal"),
            ("https://a.test/%2?2", "hexadecimal"),
        ] {
            let rejected = Identifier::parse(url).expect_err(url);
            assert!(rejected.contains(way_out), "{url}: {rejected}");
        }
    }
}
