//! Where tokens may be sent.

use std::{error::Error, fmt, net::IpAddr};

use super::authority;
use crate::MintError;

/// Where a token of this service may be sent.
///
/// 1. Without an [origin](Self::origin), anywhere by https, and by http on this very machine
///    ([RFC 6750 §5.3]: bearer tokens go over TLS). A request that does not say where it goes is rejected.
/// 2. With origins, only there. A request that does not say where it goes is taken to go to them.
///
/// An origin is scheme, host and port ([RFC 6454 §4]). This very machine is `localhost` and every
/// loopback address, by the text of the request: names are not looked up.
///
/// # Examples
///
/// ```
/// use portcullis_mint::{DestinationError, TokenDestinations};
///
/// let anywhere = TokenDestinations::default();
/// assert!(anywhere.permit(Some("https"), Some("api.example.com"), None).is_ok());
/// assert!(anywhere.permit(Some("http"), Some("127.0.0.1"), Some(8080)).is_ok());
/// let rejected = anywhere.permit(Some("http"), Some("api.example.com"), None);
/// assert!(matches!(rejected, Err(DestinationError::Cleartext { .. })));
///
/// let orders = TokenDestinations::default().origin("https", "orders.example.com", None)?;
/// assert!(orders.permit(None, None, None).is_ok());
/// assert!(orders.permit(Some("https"), Some("other.example.com"), None).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 6454 §4]: https://www.rfc-editor.org/rfc/rfc6454#section-4
/// [RFC 6750 §5.3]: https://www.rfc-editor.org/rfc/rfc6750#section-5.3
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TokenDestinations {
    origins: Vec<Origin>,
    /// Without origins, tokens are sent nowhere.
    is_restricted: bool,
    cleartext: Cleartext,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Cleartext {
    #[default]
    ThisMachine,
    Anywhere,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl TokenDestinations {
    /// Adds an origin. The host of an IPv6 address stands in brackets, as in a URI. Default: none, so
    /// that any is good.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] for one without a host, of another scheme than `https` and `http`,
    /// and of `http` to another machine. Where that is meant, say
    /// [`dangerous_allow_cleartext`](Self::dangerous_allow_cleartext) before.
    pub fn origin(
        mut self,
        scheme: &str,
        host: &str,
        port: Option<u16>,
    ) -> Result<Self, MintError> {
        let origin = Origin {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_ascii_lowercase(),
            port: port.or_else(|| default_port(scheme)),
        };
        let reason = if origin.host.is_empty() {
            "it names no host"
        } else if !matches!(&*origin.scheme, "https" | "http") {
            "give `https://` and the host"
        } else if !self.is_safe(&origin.scheme, &origin.host) {
            "everyone on the way could read them: use https, or say `dangerous_allow_cleartext()` \
             before"
        } else {
            self.origins.push(origin);
            return Ok(self);
        };
        Err(MintError::InvalidOrigin { origin: origin.to_string(), reason })
    }

    /// Sends tokens only to the [origins](Self::origin). Without any origin, no token is sent.
    pub fn only_origins(self) -> Self {
        Self { is_restricted: true, ..self }
    }

    /// Adds the origin of a URI, whose path does not matter.
    ///
    /// # Errors
    ///
    /// As [`origin`](Self::origin), and for a URI whose authority has something other than a port after its host.
    pub fn origin_of(self, scheme: &str, authority: &str) -> Result<Self, MintError> {
        match authority::split(authority) {
            Ok((host, port)) => self.origin(scheme, host, port),
            Err(whole) => Err(MintError::InvalidOrigin {
                origin: format!("{scheme}://{whole}"),
                reason: "what follows its host is no port",
            }),
        }
    }

    /// Lets tokens travel without TLS, to any machine.
    ///
    /// # Security
    ///
    /// Whoever sees a token on the way can use it. This is for networks that encrypt by other means,
    /// such as a service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        Self { cleartext: Cleartext::Anywhere, ..self }
    }

    /// Tells whether a request may carry a token: by its scheme, host and port, as far as it names them.
    ///
    /// # Errors
    ///
    /// A [`DestinationError`].
    pub fn permit(
        &self,
        scheme: Option<&str>,
        host: Option<&str>,
        port: Option<u16>,
    ) -> Result<(), DestinationError> {
        if self.is_restricted || self.has_origins() {
            let is_one = self.origins.iter().any(|origin| origin.fits(scheme, host, port));
            return if is_one { Ok(()) } else { Err(DestinationError::OtherOrigin) };
        }
        match (scheme, host) {
            (Some(scheme), Some(host)) if self.is_safe(scheme, host) => Ok(()),
            (Some(_), Some(_)) => Err(DestinationError::Cleartext),
            _ if self.cleartext == Cleartext::Anywhere => Ok(()),
            _ => Err(DestinationError::Unknown),
        }
    }

    /// Returns whether a request may have a token, by the scheme and the authority of its URI ([RFC 3986 §3.2]), as
    /// far as it has them.
    ///
    /// # Errors
    ///
    /// A [`DestinationError`].
    ///
    /// [RFC 3986 §3.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2
    pub fn permit_uri(
        &self,
        scheme: Option<&str>,
        authority: Option<&str>,
    ) -> Result<(), DestinationError> {
        // What is no host and port is a host of its own, which is neither a known origin nor this machine.
        let split = authority.map(|authority| {
            let parts = authority::split(authority);
            parts.map_or_else(|whole| (whole, None), |(host, port)| (host, port))
        });
        // RFC 6455 §3: WebSockets begin as requests over http and https.
        let scheme = scheme.map(|scheme| match scheme {
            "wss" => "https",
            "ws" => "http",
            other => other,
        });
        self.permit(scheme, split.map(|(host, _)| host), split.and_then(|(_, port)| port))
    }

    /// Returns whether there is an origin, so that tokens are sent nowhere else.
    #[must_use]
    pub fn has_origins(&self) -> bool {
        !self.origins.is_empty()
    }

    fn is_safe(&self, scheme: &str, host: &str) -> bool {
        self.cleartext == Cleartext::Anywhere
            || scheme.eq_ignore_ascii_case("https")
            || is_loopback(host)
    }
}

impl Origin {
    /// Tells whether a request goes here. What it does not name is no difference.
    fn fits(&self, scheme: Option<&str>, host: Option<&str>, port: Option<u16>) -> bool {
        let Some(host) = host else { return scheme.is_none() };
        let port = port.or_else(|| default_port(scheme.unwrap_or(&self.scheme)));
        scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case(&self.scheme))
            && host.eq_ignore_ascii_case(&self.host)
            && port == self.port
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else {
        None
    }
}

/// Tells whether a host is this very machine, by its own text.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A request that may not carry a token to where it goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DestinationError {
    /// It would travel without TLS, to another machine.
    Cleartext,
    /// It goes to another origin than those that may have tokens.
    OtherOrigin,
    /// It does not say where it goes.
    Unknown,
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cleartext => {
                "a token would travel without TLS: use https, or say `dangerous_allow_cleartext()`"
            }
            Self::OtherOrigin => {
                "the request goes to none of the origins that may have tokens: add it with `origin(…)`"
            }
            Self::Unknown => {
                "the request does not say whether its token would travel over TLS: name the server \
                 with `origin(…)`"
            }
        })
    }
}

impl Error for DestinationError {}

#[cfg(test)]
mod tests {
    use super::*;

    type Target = (Option<&'static str>, Option<&'static str>, Option<u16>);

    fn permit(
        destinations: &TokenDestinations,
        (scheme, host, port): Target,
    ) -> Result<(), DestinationError> {
        destinations.permit(scheme, host, port)
    }

    fn http(host: &'static str) -> Target {
        (Some("http"), Some(host), None)
    }

    #[test]
    fn cleartext_goes_to_this_machine_only() {
        let any = TokenDestinations::default();
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "[::1]"] {
            assert_eq!(permit(&any, http(host)), Ok(()), "{host}");
        }
        for host in [
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:10.0.0.1]",
            "2130706433",
            "0x7f.1",
            "localhost.",
            "",
        ] {
            assert_eq!(permit(&any, http(host)), Err(DestinationError::Cleartext), "{host}");
        }
        assert_eq!(permit(&any, (Some("HTTPS"), Some("a.test"), None)), Ok(()));
        assert_eq!(
            permit(&any, (Some("httpsx"), Some("a.test"), None)),
            Err(DestinationError::Cleartext)
        );
        let told = any.dangerous_allow_cleartext();
        assert_eq!(permit(&told, http("a.test")), Ok(()));
        assert_eq!(permit(&told, (None, None, None)), Ok(()));
    }

    #[test]
    fn what_does_not_say_where_it_goes_is_rejected_unless_an_origin_is_known() {
        let any = TokenDestinations::default();
        for target in
            [(None, None, None), (None, Some("a.test"), Some(443)), (Some("https"), None, None)]
        {
            assert_eq!(permit(&any, target), Err(DestinationError::Unknown), "{target:?}");
        }
        let known = any.origin("https", "a.test", None).unwrap();
        assert_eq!(permit(&known, (None, None, None)), Ok(()));
        assert_eq!(permit(&known, (None, Some("a.test"), Some(443))), Ok(()));
        assert_eq!(permit(&known, (Some("https"), None, None)), Err(DestinationError::OtherOrigin));
    }

    #[test]
    fn with_origins_tokens_go_nowhere_else() {
        let known = TokenDestinations::default()
            .origin("https", "A.test", None)
            .unwrap()
            .origin("http", "127.0.0.1", Some(50051))
            .unwrap();
        for target in [
            (Some("https"), Some("a.test"), None),
            (Some("https"), Some("a.TEST"), Some(443)),
            (Some("http"), Some("127.0.0.1"), Some(50051)),
        ] {
            assert_eq!(permit(&known, target), Ok(()), "{target:?}");
        }
        for target in [
            (Some("http"), Some("a.test"), None),
            (Some("http"), Some("a.test"), Some(443)),
            (Some("https"), Some("a.test"), Some(8443)),
            (Some("https"), Some("b.test"), None),
            (Some("https"), Some("127.0.0.1"), Some(50051)),
            (Some("http"), Some("127.0.0.1"), None),
            (None, Some("b.test"), Some(443)),
            (None, Some("127.0.0.1"), Some(443)),
        ] {
            assert_eq!(permit(&known, target), Err(DestinationError::OtherOrigin), "{target:?}");
        }
    }

    #[test]
    fn a_web_socket_has_the_origin_of_its_handshake() {
        let known = TokenDestinations::default().origin("https", "a.test", None).unwrap();
        assert_eq!(known.permit_uri(Some("wss"), Some("a.test")), Ok(()));
        assert_eq!(
            known.permit_uri(Some("ws"), Some("a.test")),
            Err(DestinationError::OtherOrigin)
        );
        let any = TokenDestinations::default();
        assert_eq!(any.permit_uri(Some("ws"), Some("a.test")), Err(DestinationError::Cleartext));
        assert_eq!(any.permit_uri(Some("ws"), Some("127.0.0.1:80")), Ok(()));
    }

    #[test]
    fn restricted_to_origins_without_any_tokens_go_nowhere() {
        let none = TokenDestinations::default().only_origins().dangerous_allow_cleartext();
        for target in [(Some("https"), Some("a.test"), None), http("127.0.0.1"), (None, None, None)]
        {
            assert_eq!(permit(&none, target), Err(DestinationError::OtherOrigin), "{target:?}");
        }
        let known = none.origin("https", "a.test", None).unwrap();
        assert_eq!(permit(&known, (Some("https"), Some("a.test"), None)), Ok(()));
    }

    #[test]
    fn an_origin_that_would_leak_is_a_mistake_of_the_configuration() {
        for (scheme, host) in [("http", "a.test"), ("ftp", "a.test"), ("https", ""), ("", "a.test")]
        {
            let rejected = TokenDestinations::default().origin(scheme, host, None);
            assert!(matches!(rejected, Err(MintError::InvalidOrigin { .. })), "{scheme} {host}");
        }
        let told = TokenDestinations::default().dangerous_allow_cleartext();
        let known = told.origin("http", "a.test", None).unwrap();
        assert_eq!(permit(&known, http("a.test")), Ok(()));
        assert_eq!(permit(&known, http("b.test")), Err(DestinationError::OtherOrigin));
    }
}
