//! URLs that clients compare byte for byte, so that nothing in them is ever changed.

use super::MetadataError;
use crate::calls::is_loopback;

/// An absolute URL without query and fragment ([RFC 8414 §2]).
///
/// [RFC 8414 §2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PlainUrl<'u> {
    /// Empty, or with a slash in front and none at its end.
    pub(super) path: &'u str,
}

impl<'u> PlainUrl<'u> {
    pub(super) fn parse(setting: &'static str, url: &'u str) -> Result<Self, MetadataError> {
        Self::read(url).map_err(|reason| {
            let url = url.to_owned();
            MetadataError::Url { setting, url, reason }
        })
    }

    fn read(url: &'u str) -> Result<Self, &'static str> {
        let (is_https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err("give a whole URL that starts with `https://`"),
        };
        if rest.contains(['?', '#']) {
            return Err("leave query and fragment out");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = match authority.rsplit_once(':') {
            // The colons of an IPv6 address are in brackets.
            Some((host, port)) if !port.ends_with(']') => {
                port.parse::<u16>().map_err(|_| "give a port from 0 to 65535")?;
                host
            }
            _ => authority,
        };
        let is_in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_in_host) {
            return Err("give a host, without user name and password");
        }
        if !is_https && !is_loopback(host) {
            return Err("start it with `https://`; plain http is for this machine alone");
        }
        let is_in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if !path.bytes().all(is_in_path) {
            return Err("use only letters, digits and `-._~/` in the path");
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = path.split('/').skip(1);
        if segments.any(|segment| matches!(segment, "" | "." | "..")) {
            return Err("leave out empty segments, `.` and `..`");
        }
        Ok(Self { path })
    }
}

#[cfg(test)]
mod tests {
    use super::PlainUrl;

    #[test]
    fn urls_are_read_or_rejected() {
        for (url, path) in [
            ("https://a.example", ""),
            ("https://a.example/", ""),
            ("https://a.example:8443/x/y.z~_-", "/x/y.z~_-"),
            ("https://a.example/x/", "/x"),
            ("https://[2001:db8::1]:8443/x", "/x"),
            ("http://localhost", ""),
            ("http://127.0.0.1:80/x", "/x"),
            ("http://[::1]:1/x", "/x"),
        ] {
            assert_eq!(PlainUrl::read(url).map(|url| url.path), Ok(path), "{url}");
        }
        for url in [
            "",
            "a.example",
            "HTTPS://a.example",
            "ftp://a.example",
            "http://a.example",
            "http://127.0.0.1.example",
            "http://localhost.example/x",
            "https://",
            "https:///x",
            "https://:80",
            "https://a.example:x",
            "https://a.example:65536",
            "https://user@a.example",
            "https://a.example?x",
            "https://a.example/x?y=z",
            "https://a.example/#x",
            "https://a.example/{x}",
            "https://a.example/x y",
            "https://a.example/%2e",
            "https://a.example//",
            "https://a.example//x",
            "https://a.example/x//y",
            "https://a.example/../x",
            "https://a.example/x/.",
            "https://é.example",
            " https://a.example",
        ] {
            assert!(PlainUrl::read(url).is_err(), "{url}");
        }
    }
}
