//! Locations in a request from which a token is extracted.

use std::{fmt, slice, sync::Arc};

use crate::AuthError;

/// A location in a request from which a token is extracted.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, TokenLocation};
///
/// // The usual three: `Authorization: Bearer`, then `?access_token=`, then a cookie of that name.
/// let builder = Authenticator::builder().locations(TokenLocation::header_query_cookie("access_token"));
///
/// // An API key in a header of its own, and nothing else.
/// let builder = Authenticator::builder().locations([TokenLocation::header("x-api-key")]);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct TokenLocation {
    pub(crate) kind: LocationKind,
    pub(crate) name: Arc<str>,
    /// The scheme before the token in a header field.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) prefix: Option<Prefix>,
    /// Whether an empty token is a value for the function of a custom location, instead of an error.
    pub(crate) passes_empty: bool,
    /// The only issuer whose tokens this location may hold.
    pub(crate) issuer: Option<Arc<str>>,
    /// Browsers attach cookies to requests; everything else is in a request on purpose.
    pub(crate) is_explicit: bool,
}

/// The scheme before the token in a header field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Scheme {
    pub(crate) name: String,
    /// Whether it is read letter by letter, with one space behind it, instead of in any letter case, with
    /// one or more spaces.
    pub(crate) exact: bool,
}

/// The prefix that the token has in a location.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Prefix {
    pub(crate) text: String,
    /// Whether it is removed as often as it occurs.
    pub(crate) repeated: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LocationKind {
    Header,
    Query,
    Cookie,
    WebSocketProtocol,
    Custom(Custom),
}

/// A token that a function of the application makes of the values of other locations.
#[derive(Clone)]
pub(crate) struct Custom {
    pub(crate) sources: Arc<[TokenLocation]>,
    pub(crate) token: Arc<CustomToken>,
}

type CustomToken = dyn Fn(&[Option<&str>]) -> Result<Option<String>, AuthError> + Send + Sync;

/// A reload builds the function anew, so locations with the same sources count as the same: a request that waits
/// keeps the token that the old function returned.
impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        self.sources == other.sources
    }
}

impl Eq for Custom {}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom").field("sources", &self.sources).finish_non_exhaustive()
    }
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
        Self::at(LocationKind::Header, name.into())
    }

    /// A parameter of the query ([RFC 6750 §2.3]).
    ///
    /// URLs end up in logs and browser histories. Adapters remove the parameter from the URI that
    /// inner layers see, and forbid caches to store the response. A proxy in front still sees it.
    ///
    /// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
    pub fn query(name: impl Into<String>) -> Self {
        Self::at(LocationKind::Query, name.into().into())
    }

    /// A cookie.
    ///
    /// Browsers attach cookies also to requests that other sites cause. The engine rejects such a request unless
    /// its method only reads ([details](crate::AuthenticatorBuilder::allowed_origins)).
    pub fn cookie(name: impl Into<String>) -> Self {
        Self::at(LocationKind::Cookie, name.into().into())
    }

    /// The WebSocket subprotocol that a client offers after the one of this name
    /// ([RFC 6455 §11.3.4]): the only field of a WebSocket handshake that a page can set. The page
    /// says `new WebSocket(url, ["access_token", token])`.
    ///
    /// Adapters remove the token from the field, so that no handler selects it as the subprotocol and
    /// sends it back. The handler must select the name, which remains in the field, or browsers close the
    /// connection.
    ///
    /// [RFC 6455 §11.3.4]: https://www.rfc-editor.org/rfc/rfc6455#section-11.3.4
    pub fn web_socket_protocol(name: impl Into<String>) -> Self {
        Self::at(LocationKind::WebSocketProtocol, name.into().into())
    }

    /// The three locations in the order that most services use: `Authorization: Bearer`, a query
    /// parameter and a cookie of one name.
    pub fn header_query_cookie(name: impl Into<String>) -> [Self; 3] {
        let name = name.into();
        [Self::bearer(), Self::query(name.clone()), Self::cookie(name)]
    }

    /// A token that a function of the application makes of the values of other locations: for what the
    /// other kinds cannot express, such as a token inside HTTP Basic credentials or in two cookies.
    ///
    /// `sources` are the locations to read. `token` receives one value for each source, in their order:
    /// the text that the source has as its token, which may be empty, or `None` where the request lacks it. It
    /// is not called if all of them are `None`. It returns
    ///
    /// - `Ok(Some(token))`: the token, which is then judged like any other;
    /// - `Ok(None)`, or an error of the kind [`NoCredentials`](crate::AuthErrorKind::NoCredentials): this
    ///   location holds no token, and the next one is read;
    /// - any other error: the request is rejected with it.
    ///
    /// It runs in the request path, so it must be quick. If it panics, the request is rejected with an
    /// [internal error](crate::AuthErrorKind::InternalError). `name` is for explanations alone.
    ///
    /// A request that has a source twice is rejected with
    /// [`MultipleTokens`](crate::AuthErrorKind::MultipleTokens), except under [`MultipleTokens::First`]; one with a
    /// value that is not UTF-8 is a [malformed request](crate::AuthErrorKind::MalformedRequest). A location
    /// with a cookie among its sources is read like a [cookie](Self::cookie): only if there is no explicit token.
    ///
    /// # Hiding
    ///
    /// The function cannot see the request, so it cannot read what is not hidden. The sources are hidden as if each
    /// of them were a location itself, whatever the function returns: parameters of the query and subprotocols
    /// always, header fields and cookies with
    /// [`remove_tokens`](crate::AuthenticatorBuilder::remove_tokens).
    ///
    /// # Errors
    ///
    /// `build()` fails without sources, and if one of them is custom itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::{Authenticator, TokenLocation};
    ///
    /// // The token's signature is in a cookie that scripts cannot read, the rest in one that they can.
    /// let sources = [TokenLocation::cookie("token"), TokenLocation::cookie("signature")];
    /// let split = TokenLocation::custom("two cookies", sources, |values| match values {
    ///     [Some(token), Some(signature)] => Ok(Some(format!("{token}.{signature}"))),
    ///     _ => Ok(None),
    /// });
    /// let builder = Authenticator::builder().locations([split]);
    /// ```
    pub fn custom(
        name: impl Into<String>,
        sources: impl IntoIterator<Item = Self>,
        token: impl Fn(&[Option<&str>]) -> Result<Option<String>, AuthError> + Send + Sync + 'static,
    ) -> Self {
        let sources = sources.into_iter();
        let sources = sources.map(|source| Self { passes_empty: true, ..source });
        let sources: Arc<[Self]> = sources.collect();
        let is_explicit = sources.iter().all(|source| source.is_explicit);
        let kind = LocationKind::Custom(Custom { sources, token: Arc::new(token) });
        Self { is_explicit, ..Self::at(kind, name.into().into()) }
    }

    fn at(kind: LocationKind, name: Arc<str>) -> Self {
        Self {
            is_explicit: !matches!(kind, LocationKind::Cookie),
            kind,
            name,
            scheme: None,
            prefix: None,
            passes_empty: false,
            issuer: None,
        }
    }

    /// The scheme in front of the token in a header field, in any letter case, with one or more spaces
    /// behind it ([RFC 9110 §11.4]).
    ///
    /// [RFC 9110 §11.4]: https://www.rfc-editor.org/rfc/rfc9110#section-11.4
    pub fn scheme(self, scheme: impl Into<String>) -> Self {
        Self { scheme: Some(Scheme { name: scheme.into(), exact: false }), ..self }
    }

    /// The scheme in front of the token in a header field, letter by letter, with one space behind it;
    /// all that follows is the token. A field with `bearer` where this says `Bearer` is of another
    /// scheme. For services that must read fields as another system does; HTTP has schemes in
    /// [any letter case](Self::scheme).
    ///
    /// The scheme alone is an empty token, because servers remove spaces from the end of a field
    /// ([RFC 9110 §5.5]).
    ///
    /// [RFC 9110 §5.5]: https://www.rfc-editor.org/rfc/rfc9110#section-5.5
    pub fn exact_scheme(self, scheme: impl Into<String>) -> Self {
        Self { scheme: Some(Scheme { name: scheme.into(), exact: true }), ..self }
    }

    /// A prefix that the token has in this location. It is removed once. A value without it is ignored.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: Some(Prefix { text: prefix.into(), repeated: false }), ..self }
    }

    /// Removes the prefix as often as it occurs. Default: once.
    ///
    /// # Security
    ///
    /// One token then has endlessly many spellings. Whatever compares tokens as text, such as a cache, a
    /// block list or a search in logs, misses all but one.
    pub fn dangerous_repeated_prefix(self) -> Self {
        let prefix = self.prefix.map(|prefix| Prefix { repeated: true, ..prefix });
        Self { prefix, ..self }
    }

    /// The only issuer whose tokens this location may hold. Tokens of this issuer may be in other
    /// locations too, unless these are bound to other issuers. Default: any trusted issuer.
    pub fn of_issuer(self, issuer: impl Into<Arc<str>>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// The locations that are read in the request: those of a custom location are its sources.
    pub(crate) fn sources(&self) -> &[Self] {
        match &self.kind {
            LocationKind::Custom(custom) => &custom.sources,
            _ => slice::from_ref(self),
        }
    }

    /// Returns whether this is the cookie of a name.
    pub(crate) fn is_cookie(&self, name: &str) -> bool {
        matches!(self.kind, LocationKind::Cookie) && *self.name == *name
    }

    pub(crate) fn check(&self) -> Result<(), LocationError> {
        let invalid = |name: &str| Err(LocationError::InvalidName { name: name.to_owned() });
        match (&self.kind, &self.scheme) {
            (LocationKind::Custom(custom), None) => {
                let is_custom = |source: &&Self| matches!(source.kind, LocationKind::Custom(_));
                if custom.sources.is_empty() {
                    return Err(LocationError::NoLocations);
                }
                if let Some(source) = custom.sources.iter().find(is_custom) {
                    return invalid(&source.name);
                }
                // A token of the custom location may come from several sources, so a source cannot restrict it.
                if custom.sources.iter().any(|source| source.issuer.is_some()) {
                    return Err(LocationError::BoundSource { name: self.name.to_string() });
                }
                custom.sources.iter().try_for_each(Self::check)
            }
            _ if !is_token(&self.name) => invalid(&self.name),
            // Cookies are read as such; as a field they would count as explicit.
            (LocationKind::Header, _) if matches!(&*self.name, "cookie" | WEB_SOCKET_PROTOCOL) => {
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

    /// Returns whether both read the same thing. The issuer that a location is bound to does not matter.
    fn is_same_location(&self, other: &Self) -> bool {
        let read = |location: &Self| {
            // Read in any letter case.
            let scheme = location.scheme.as_ref().map(|scheme| scheme.name.to_ascii_lowercase());
            (location.kind.clone(), location.name.clone(), scheme, location.prefix.clone())
        };
        read(self) == read(other)
    }

    /// Checks the locations of one engine or route.
    pub(crate) fn check_all(locations: &[Self]) -> Result<(), LocationError> {
        if locations.is_empty() {
            return Err(LocationError::NoLocations);
        }
        locations.iter().try_for_each(Self::check)?;
        let is_duplicate = |(index, location): &(usize, &Self)| {
            locations.iter().take(*index).any(|other| other.is_same_location(location))
        };
        match locations.iter().enumerate().find(is_duplicate) {
            None => Ok(()),
            Some((_, location)) => {
                Err(LocationError::Duplicate { name: location.name.to_string() })
            }
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

/// What happens if a request has more than one token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum MultipleTokens {
    /// Two explicit tokens are rejected ([RFC 6750 §2]). A cookie, which browsers attach on their own, is read
    /// only if there is no explicit token. Of several cookie locations the first that has a token counts. The
    /// default.
    ///
    /// [RFC 6750 §2]: https://www.rfc-editor.org/rfc/rfc6750#section-2
    #[default]
    Reject,
    /// The first in the order of locations counts; the others are not read.
    First,
    /// Each must be accepted, cookies included. The caller is that of the first one.
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
    /// A source of a custom location is bound to an issuer.
    BoundSource {
        /// The name of the custom location.
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
                 digits, `-` and `_`; a scheme goes with a header field, cookies with \
                 `TokenLocation::cookie`, and a custom location has other ones as its sources"
            ),
            Self::BoundSource { name } => write!(
                f,
                "a source of the custom location `{name}` is bound to an issuer, which has no effect there: \
                 call `of_issuer` on the custom location"
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
