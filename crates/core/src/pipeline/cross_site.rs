//! Did another site cause the request? Browsers attach cookies to such requests too.

use std::{fmt, net::IpAddr};

use crate::{AuthError, AuthErrorKind, RequestView};

/// Which requests with a token from a cookie are accepted.
///
/// ```text
///  an unsafe method, or a WebSocket handshake? ── no ──▶ accept
///    │ yes
///  Origin is an allowed origin? ── yes ──▶ accept
///    │ no
///  Sec-Fetch-Site? ── same-origin, none ──▶ accept      ── any other value ──▶ reject
///    │ absent
///  Origin? ── the service's own ──▶ accept              ── any other value ──▶ reject
///    │ absent
///  accept: not a browser
/// ```
#[derive(Clone, Debug, Default)]
pub(crate) struct CrossSiteRules {
    pub(crate) allowed_origins: Vec<WebOrigin>,
    pub(crate) public_origin: Option<WebOrigin>,
    /// Whether requests are not checked at all.
    pub(crate) is_off: bool,
}

impl CrossSiteRules {
    /// Checks a request that has a token in a cookie.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::CrossSiteRequest`].
    pub(crate) fn check(&self, request: &dyn RequestView) -> Result<(), AuthError> {
        if self.is_off || !changes_state(request) || self.accept(request) {
            return Ok(());
        }
        Err(AuthErrorKind::CrossSiteRequest.into())
    }

    fn accept(&self, request: &dyn RequestView) -> bool {
        let origin = single(request, "origin");
        let parsed = origin.one().and_then(WebOrigin::parse);
        if parsed.as_ref().is_some_and(|origin| self.allowed_origins.contains(origin)) {
            return true;
        }
        match (single(request, "sec-fetch-site"), origin) {
            (Field::One(site), _) => site == b"same-origin" || site == b"none",
            (Field::Several, _) | (Field::Absent, Field::Several) => false,
            (Field::Absent, Field::Absent) => true,
            (Field::Absent, Field::One(_)) => {
                parsed.is_some_and(|origin| self.is_own(&origin, request))
            }
        }
    }

    /// Returns whether an origin is that of the service.
    fn is_own(&self, origin: &WebOrigin, request: &dyn RequestView) -> bool {
        if let Some(public_origin) = &self.public_origin {
            return origin == public_origin;
        }
        let authority = match request.authority() {
            Some(authority) => Some(authority.as_bytes()),
            None => single(request, "host").one(),
        };
        authority.is_some_and(|authority| origin.is_at(authority))
    }
}

/// Returns whether the request may change something ([RFC 9110 §9.2.1]), or opens a WebSocket, which other
/// sites can read from.
///
/// [RFC 9110 §9.2.1]: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
fn changes_state(request: &dyn RequestView) -> bool {
    match request.method() {
        "GET" => {
            let mut is_handshake = false;
            request.field_values("upgrade", &mut |value| {
                let mut protocols = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
                is_handshake |= protocols.any(|name| name.eq_ignore_ascii_case(b"websocket"));
            });
            is_handshake
        }
        "HEAD" | "OPTIONS" => false,
        _ => true,
    }
}

/// The fields of one name, of which at most one is allowed.
#[derive(Clone, Copy, Debug)]
enum Field<'r> {
    Absent,
    One(&'r [u8]),
    Several,
}

impl<'r> Field<'r> {
    fn one(self) -> Option<&'r [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::Absent | Self::Several => None,
        }
    }
}

fn single<'r>(request: &'r dyn RequestView, name: &str) -> Field<'r> {
    let mut field = Field::Absent;
    request.field_values(name, &mut |value| {
        field = match field {
            Field::Absent => Field::One(value),
            Field::One(_) | Field::Several => Field::Several,
        };
    });
    field
}

/// The origin of a page: scheme, host and port ([RFC 6454 §4]). An opaque origin, `null`, is not one.
///
/// [RFC 6454 §4]: https://www.rfc-editor.org/rfc/rfc6454#section-4
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WebOrigin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl WebOrigin {
    fn parse(text: &[u8]) -> Option<Self> {
        let (scheme, authority) = std::str::from_utf8(text).ok()?.split_once("://")?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(is_scheme) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = host_and_port(authority)?;
        let port = port.or(default_port(&scheme));
        Some(Self { host: host.to_ascii_lowercase(), port, scheme })
    }

    /// Returns whether the authority of a request names the host and port of this origin. An authority without
    /// a port means the default port of the scheme, which a proxy may hide from the service.
    fn is_at(&self, authority: &[u8]) -> bool {
        let authority = std::str::from_utf8(authority).ok().and_then(host_and_port);
        authority.is_some_and(|(host, port)| {
            host.eq_ignore_ascii_case(&self.host)
                && self.port == port.or(default_port(&self.scheme))
        })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Splits `host` or `host:port`; `None` if it is neither, such as a text with a path or a user.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address are between brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let name = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    let is_valid = match name {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_in_host),
    };
    is_valid.then_some((host, port))
}

/// Returns whether a text is an origin, as settings name one.
#[must_use]
pub fn is_origin(text: &str) -> bool {
    WebOrigin::parse(text.as_bytes()).is_some()
}

/// Returns whether a text is an origin over plain http that does not leave the machine.
pub(crate) fn is_loopback_http(text: &str) -> bool {
    let Some(WebOrigin { scheme, host, .. }) = WebOrigin::parse(text.as_bytes()) else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    scheme == "http" && (host == "localhost" || is_loopback)
}

/// A text that should name an origin does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OriginError {
    origin: String,
}

impl OriginError {
    /// Parses the origin of a setting.
    ///
    /// # Errors
    ///
    /// If the text is not a scheme, a host and an optional port.
    pub(crate) fn parse(text: &str) -> Result<WebOrigin, Self> {
        WebOrigin::parse(text.as_bytes()).ok_or_else(|| Self { origin: text.to_owned() })
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not an origin: write scheme, host and port if it is not the usual one, without a path \
             or a final slash, such as `https://app.example.com`",
            self.origin
        )
    }
}

impl std::error::Error for OriginError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method, authority, fields.
    struct Request<'a>(&'a str, Option<&'a str>, &'a [(&'a str, &'a str)]);

    impl RequestView for Request<'_> {
        fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
            let values = self.2.iter().filter(|(own, _)| *own == name);
            values.for_each(|(_, value)| visit(value.as_bytes()));
        }

        fn query(&self) -> Option<&str> {
            None
        }

        fn method(&self) -> &str {
            self.0
        }

        fn authority(&self) -> Option<&str> {
            self.1
        }
    }

    const HOST: (&str, &str) = ("host", "app.test");

    fn rules() -> CrossSiteRules {
        let allowed_origins = vec![OriginError::parse("https://Partner.test:8443").unwrap()];
        CrossSiteRules { allowed_origins, ..CrossSiteRules::default() }
    }

    fn accepts(rules: &CrossSiteRules, request: &Request<'_>) -> bool {
        match rules.check(request) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.kind(), AuthErrorKind::CrossSiteRequest);
                false
            }
        }
    }

    #[test]
    fn each_site_with_each_origin_is_accepted_or_rejected_by_the_table() {
        let origins = [
            (None, "absent"),
            (Some("https://app.test"), "own"),
            (Some("https://partner.test:8443"), "allowed"),
            (Some("https://evil.test"), "other"),
            (Some("null"), "null"),
        ];
        let sites =
            [None, Some("same-origin"), Some("none"), Some("same-site"), Some("cross-site")];
        for (origin, name) in origins {
            for site in sites.into_iter().chain([Some(""), Some("Same-Origin"), Some("new-value")])
            {
                let mut fields = vec![HOST];
                fields.extend(origin.map(|origin| ("origin", origin)));
                fields.extend(site.map(|site| ("sec-fetch-site", site)));
                let expected = match (name, site) {
                    ("allowed", _) => true,
                    (_, Some(site)) => site == "same-origin" || site == "none",
                    (name, None) => name == "absent" || name == "own",
                };
                for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "PURGE", "get"]
                {
                    let request = Request(method, None, &fields);
                    assert_eq!(accepts(&rules(), &request), expected, "{method} {name} {site:?}");
                }
                let handshake: Vec<_> =
                    fields.iter().copied().chain([("upgrade", "h2c, WebSocket")]).collect();
                let request = Request("GET", None, &handshake);
                assert_eq!(accepts(&rules(), &request), expected, "handshake {name} {site:?}");
                for method in ["GET", "HEAD", "OPTIONS"] {
                    assert!(accepts(&rules(), &Request(method, None, &fields)), "{method}");
                }
                let off = CrossSiteRules { is_off: true, ..rules() };
                assert!(accepts(&off, &Request("POST", None, &fields)));
            }
        }
    }

    #[test]
    fn an_origin_is_the_services_own_if_host_and_port_are() {
        for (origin, host, expected) in [
            ("https://app.test", "app.test", true),
            ("http://app.test", "app.test", true),
            ("https://APP.test", "app.TEST", true),
            ("https://app.test", "app.test:443", true),
            ("https://app.test:443", "app.test", true),
            ("http://app.test", "app.test:443", false),
            ("http://app.test:8080", "app.test:8080", true),
            ("http://app.test:8080", "app.test", false),
            ("https://app.test.evil.test", "app.test", false),
            ("https://evil-app.test", "app.test", false),
            ("https://app.test@evil.test", "app.test", false),
            ("https://app.test/", "app.test", false),
            ("https://app.test:", "app.test", false),
            ("https://app.test:x", "app.test", false),
            ("https://", "", false),
            ("://app.test", "app.test", false),
            ("app.test", "app.test", false),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("http://[::1]", "[::1]", true),
            ("http://[::1]", "[::2]", false),
        ] {
            let with_host = [("host", host), ("origin", origin)];
            let request = Request("POST", None, &with_host);
            assert_eq!(accepts(&rules(), &request), expected, "{origin} at {host}");
            // The authority of the request target takes precedence over `Host`.
            let other_host = [("host", "evil.test"), ("origin", origin)];
            let request = Request("POST", Some(host), &other_host);
            assert_eq!(accepts(&rules(), &request), expected, "{origin} at authority {host}");
        }
    }

    #[test]
    fn a_public_origin_replaces_the_host() {
        let public_origin = Some(OriginError::parse("https://api.test").unwrap());
        let rules = CrossSiteRules { public_origin, ..rules() };
        let post = |origin| accepts(&rules, &Request("POST", None, &[HOST, ("origin", origin)]));
        assert!(post("https://api.test"));
        assert!(!post("http://api.test"));
        assert!(!post("https://app.test"));
    }

    #[test]
    fn a_field_that_is_there_twice_is_not_believed() {
        let own = ("origin", "https://app.test");
        let site = ("sec-fetch-site", "same-origin");
        for fields in [vec![HOST, own, own], vec![HOST, site, site], vec![HOST, HOST, own]] {
            assert!(!accepts(&rules(), &Request("POST", None, &fields)), "{fields:?}");
        }
    }

    #[test]
    fn a_text_that_is_not_an_origin_is_an_error() {
        for text in ["*", "https://*.example.com", "app.test", "https://app.test/", "null", ""] {
            let error = OriginError::parse(text).unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}` is not an origin")), "{error}");
        }
    }
}
