//! Where in a request a token may be.

use std::{fmt, sync::Arc};

/// A place that a token is taken from.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, TokenLocation};
///
/// // The paved path: `Authorization: Bearer`, then `?access_token=`, then a cookie of that name.
/// let builder = Authenticator::builder().locations(TokenLocation::header_query_cookie("access_token"));
///
/// // An API key in a header of its own, and nothing else.
/// let builder = Authenticator::builder().locations([TokenLocation::header("x-api-key")]);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct TokenLocation {
    pub(crate) kind: LocationKind,
    pub(crate) name: String,
    /// In front of the token in a header field.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) prefix: Option<Prefix>,
    /// Whether white space around the token is taken off.
    pub(crate) trimmed: bool,
    /// Whether a place without a token in it is as if it were not there.
    pub(crate) may_be_empty: bool,
    /// The only issuer whose tokens this place may hold.
    pub(crate) issuer: Option<Arc<str>>,
}

/// What stands in front of the token in a header field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Scheme {
    pub(crate) name: String,
    pub(crate) form: SchemeForm,
}

/// How a scheme is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SchemeForm {
    /// In any letter case, with one or more spaces behind it.
    Lenient,
    /// Letter by letter, with one space behind it.
    Exact,
    /// In any letter case, with one space behind it; a field that has no such scheme is a fault.
    Required,
}

/// What the token begins with in a place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Prefix {
    pub(crate) text: String,
    /// Whether a value without it is a bad token, and not the token of somebody else.
    pub(crate) required: bool,
    /// Whether it is taken off as often as it is there.
    pub(crate) repeated: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LocationKind {
    Header,
    Query,
    Cookie,
    WebSocketProtocol,
}

/// The field that WebSocket clients offer subprotocols in ([RFC 6455 §11.3.4]).
///
/// [RFC 6455 §11.3.4]: https://www.rfc-editor.org/rfc/rfc6455#section-11.3.4
pub(crate) const WEB_SOCKET_PROTOCOL: &str = "sec-websocket-protocol";

impl TokenLocation {
    /// `Authorization: Bearer <token>` ([RFC 6750 §2.1]): the default.
    ///
    /// The scheme is matched in any letter case, and one or more spaces follow it.
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    pub fn bearer() -> Self {
        Self::header("authorization").scheme("Bearer")
    }

    /// A header field whose whole value is the token.
    pub fn header(name: impl Into<String>) -> Self {
        let name = name.into().to_ascii_lowercase();
        Self::at(LocationKind::Header, name)
    }

    /// A parameter of the query ([RFC 6750 §2.3]).
    ///
    /// URLs end up in logs and browser histories. Adapters take the parameter out of the URI that
    /// inner layers see, and forbid caches to store the response; a proxy in front has seen it.
    ///
    /// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
    pub fn query(name: impl Into<String>) -> Self {
        Self::at(LocationKind::Query, name.into())
    }

    /// A cookie.
    ///
    /// Browsers send cookies by themselves, to requests that other sites cause too: a service that
    /// takes tokens from a cookie needs a defence against cross-site request forgery.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self::at(LocationKind::Cookie, name.into())
    }

    /// The WebSocket subprotocol that a client offers after the one of this name
    /// ([RFC 6455 §11.3.4]): the only field of a WebSocket handshake that a page can set. The page
    /// says `new WebSocket(url, ["access_token", token])`.
    ///
    /// Adapters take the token out of the field, so that no handler selects it as the subprotocol and
    /// sends it back. The handler must select the name, which is still there, or browsers close the
    /// connection.
    ///
    /// [RFC 6455 §11.3.4]: https://www.rfc-editor.org/rfc/rfc6455#section-11.3.4
    pub fn web_socket_protocol(name: impl Into<String>) -> Self {
        Self::at(LocationKind::WebSocketProtocol, name.into())
    }

    /// The three places in the order that most services use: `Authorization: Bearer`, a query
    /// parameter and a cookie of one name.
    pub fn header_query_cookie(name: impl Into<String>) -> [Self; 3] {
        let name = name.into();
        [Self::bearer(), Self::query(name.clone()), Self::cookie(name)]
    }

    fn at(kind: LocationKind, name: String) -> Self {
        Self {
            kind,
            name,
            scheme: None,
            prefix: None,
            trimmed: false,
            may_be_empty: false,
            issuer: None,
        }
    }

    /// The scheme in front of the token in a header field, in any letter case, with one or more spaces
    /// behind it ([RFC 9110 §11.4]).
    ///
    /// [RFC 9110 §11.4]: https://www.rfc-editor.org/rfc/rfc9110#section-11.4
    pub fn scheme(self, scheme: impl Into<String>) -> Self {
        Self { scheme: Some(Scheme { name: scheme.into(), form: SchemeForm::Lenient }), ..self }
    }

    /// The scheme in front of the token in a header field, letter by letter, with one space behind it;
    /// all that follows is the token. A field with `bearer` where this says `Bearer` is of another
    /// scheme. For services that must read fields as another system does; HTTP has schemes in
    /// [any letter case](Self::scheme).
    ///
    /// The scheme alone is an empty token: servers take spaces off the end of a field
    /// ([RFC 9110 §5.5]).
    ///
    /// [RFC 9110 §5.5]: https://www.rfc-editor.org/rfc/rfc9110#section-5.5
    pub fn exact_scheme(self, scheme: impl Into<String>) -> Self {
        Self { scheme: Some(Scheme { name: scheme.into(), form: SchemeForm::Exact }), ..self }
    }

    /// The scheme that every field of this name has, in any letter case, with one space behind it; all
    /// that follows is the token. A field of another scheme, or of none, is a
    /// [malformed request](crate::AuthErrorKind::MalformedRequest), and no place behind this one is looked
    /// at instead; an empty one is none. For services that take what they cannot read for bad
    /// credentials, and not for none.
    pub fn required_scheme(self, scheme: impl Into<String>) -> Self {
        Self { scheme: Some(Scheme { name: scheme.into(), form: SchemeForm::Required }), ..self }
    }

    /// A prefix that the token has in this place. It is taken off once; a value without it is not
    /// a token of ours.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.with_prefix(prefix.into(), false)
    }

    /// A prefix that every token in this place has. It is taken off once; a value without it is a
    /// [malformed token](crate::AuthErrorKind::MalformedToken), and no place behind this one is looked
    /// at instead.
    pub fn required_prefix(self, prefix: impl Into<String>) -> Self {
        self.with_prefix(prefix.into(), true)
    }

    fn with_prefix(self, text: String, required: bool) -> Self {
        Self { prefix: Some(Prefix { text, required, repeated: false }), ..self }
    }

    /// Takes the prefix off as often as it is there. Default: once.
    ///
    /// # Security
    ///
    /// One token then has endlessly many spellings: what looks at tokens as text, such as a cache, a
    /// list of those that are blocked or a search in logs, misses all but one.
    pub fn dangerous_repeated_prefix(self) -> Self {
        let prefix = self.prefix.map(|prefix| Prefix { repeated: true, ..prefix });
        Self { prefix, ..self }
    }

    /// Takes white space of ASCII off both ends of the token, and then looks for its prefix. Default: what follows the
    /// name, or an [exact scheme](Self::exact_scheme), is the token; a [scheme](Self::scheme) in any
    /// letter case may have several spaces behind it.
    pub fn trimmed(self) -> Self {
        Self { trimmed: true, ..self }
    }

    /// Takes a place that holds an empty token for one that is not there: the next one is read, and a
    /// request with nothing else is one without credentials. Default: an empty token is a
    /// [malformed request](crate::AuthErrorKind::MalformedRequest), and final.
    pub fn empty_is_absent(self) -> Self {
        Self { may_be_empty: true, ..self }
    }

    /// The only issuer whose tokens this place may hold. Tokens of this issuer may be in other places
    /// too, unless these are bound to other issuers. Default: any that is trusted.
    pub fn of_issuer(self, issuer: impl Into<Arc<str>>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// A cookie is sent by the browser; anything else the client means.
    pub(crate) fn is_explicit(&self) -> bool {
        self.kind != LocationKind::Cookie
    }

    pub(crate) fn check(&self) -> Result<(), LocationError> {
        let invalid = |name: &str| Err(LocationError::InvalidName { name: name.to_owned() });
        if !is_token(&self.name) {
            return invalid(&self.name);
        }
        match (&self.kind, &self.scheme) {
            // Cookies are read as such; as a field they would count as explicit.
            (LocationKind::Header, _)
                if self.name == "cookie" || self.name == WEB_SOCKET_PROTOCOL =>
            {
                invalid(&self.name)
            }
            (LocationKind::Header, Some(scheme)) if !is_token(&scheme.name) => {
                invalid(&scheme.name)
            }
            (LocationKind::Header, _) => Ok(()),
            (_, Some(scheme)) => invalid(&scheme.name),
            _ => Ok(()),
        }
    }

    /// Tells whether both read the same thing. Whose tokens they may hold makes no other place.
    fn is_same_place(&self, other: &Self) -> bool {
        let read = |place: &Self| {
            // Read in any letter case.
            let scheme = place.scheme.as_ref().map(|scheme| scheme.name.to_ascii_lowercase());
            (place.kind, place.name.clone(), scheme, place.prefix.clone())
        };
        read(self) == read(other)
    }

    /// Checks places that stand together.
    pub(crate) fn check_all(places: &[Self]) -> Result<(), LocationError> {
        if places.is_empty() {
            return Err(LocationError::NoLocations);
        }
        places.iter().try_for_each(Self::check)?;
        let is_twice = |(index, place): &(usize, &Self)| {
            places.iter().take(*index).any(|other| other.is_same_place(place))
        };
        match places.iter().enumerate().find(is_twice) {
            None => Ok(()),
            Some((_, place)) => Err(LocationError::Duplicate { name: place.name.clone() }),
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Characters of a `token` ([RFC 9110 §5.6.2]), less `&`, `+` and `%`, which mean something in a
/// query.
///
/// [RFC 9110 §5.6.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$'*-.^_`|~".contains(&byte)
}

/// What happens when a request brings more than one token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum MultipleTokens {
    /// Two explicit tokens are rejected ([RFC 6750 §2]); a cookie, which browsers send by
    /// themselves, is read only when there is no explicit one. Of several cookie places the first
    /// that is filled counts. The default.
    ///
    /// [RFC 6750 §2]: https://www.rfc-editor.org/rfc/rfc6750#section-2
    #[default]
    Reject,
    /// The first in the order of places counts; the others are not looked at.
    First,
    /// Each must be accepted, cookies included; the caller is the one of the first.
    All,
}

/// A token location that cannot be used. The text says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LocationError {
    /// There is no location to extract a token from.
    NoLocations,
    /// Two locations are the same, so that each token would be found twice.
    Duplicate {
        /// The name of the header field, query parameter or cookie.
        name: String,
    },
    /// A name cannot be that of a header field, scheme, query parameter or cookie.
    InvalidName {
        /// The name.
        name: String,
    },
    /// A location is bound to an issuer that is not trusted.
    UntrustedIssuer {
        /// The issuer.
        issuer: String,
    },
}

impl fmt::Display for LocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLocations => f.write_str(
                "there is no location to extract a token from: give one to `locations(…)`, or leave \
                 the default",
            ),
            Self::Duplicate { name } => {
                write!(f, "location `{name}` is given twice: give each location once")
            }
            Self::InvalidName { name } => write!(
                f,
                "`{name}` cannot name a header field, scheme, query parameter or cookie: use letters, \
                 digits, `-` and `_`; a scheme goes with a header field, and cookies with \
                 `TokenLocation::cookie`"
            ),
            Self::UntrustedIssuer { issuer } => write!(
                f,
                "a location is bound to the issuer `{issuer}`, which is not trusted, so none of its \
                 tokens would be accepted: add it with `issuer(…)`, under the same name"
            ),
        }
    }
}

impl std::error::Error for LocationError {}
