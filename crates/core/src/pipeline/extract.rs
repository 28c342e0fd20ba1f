//! Where is the token? ([RFC 6750 §2])
//!
//! [RFC 6750 §2]: https://www.rfc-editor.org/rfc/rfc6750#section-2

use std::{borrow::Cow, sync::Arc};

use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

use crate::{
    AuthError, AuthErrorKind, BearerToken, MultipleTokens, RequestView, TokenLocation,
    location::{LocationKind, Scheme, SchemeForm, WEB_SOCKET_PROTOCOL},
};

/// The tokens of a request that must be proven: at least one.
pub(crate) type Tokens<'r> = SmallVec<[Presented<'r>; 1]>;

/// A token, and what its place says of it.
#[derive(Clone, Debug)]
pub(crate) struct Presented<'r> {
    pub(crate) token: BearerToken<'r>,
    /// The only issuer whose tokens the place may hold.
    pub(crate) of_issuer: Option<Arc<str>>,
}

impl<'r> Presented<'r> {
    /// A token that some other code has taken out of a request.
    pub(crate) fn elsewhere(token: &'r str) -> Self {
        Self { token: BearerToken::new(token), of_issuer: None }
    }

    pub(crate) fn to_owned_token(&self) -> Presented<'static> {
        Presented { token: self.token.to_owned_token(), of_issuer: self.of_issuer.clone() }
    }
}

/// How many tokens a request needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    One,
    /// Tokens of several issuers, each in a place of its own.
    OneInEachPlace,
}

/// How many tokens one request may have verified, where all of them must be.
const MAX_TOKENS: usize = 4;

type Result<T> = std::result::Result<T, AuthError>;

/// Takes the tokens that count from a request.
///
/// # Errors
///
/// [`AuthErrorKind::NoCredentials`] if no place holds one, [`AuthErrorKind::MalformedRequest`] if a
/// place holds an empty one, and [`AuthErrorKind::MultipleTokens`].
pub(crate) fn extract<'r>(
    places: &[TokenLocation],
    several: MultipleTokens,
    wanted: Wanted,
    request: &'r dyn RequestView,
) -> Result<Tokens<'r>> {
    let mut tokens = Tokens::new();
    let limit = match (several, wanted) {
        (MultipleTokens::Reject, Wanted::One) => {
            for place in places.iter().filter(|place| place.is_explicit()) {
                collect(place, several, request, &mut tokens)?;
            }
            for place in places.iter().filter(|place| !place.is_explicit()) {
                if tokens.is_empty() {
                    collect(place, several, request, &mut tokens)?;
                }
            }
            1
        }
        (MultipleTokens::First, Wanted::One) => {
            for place in places {
                if tokens.is_empty() {
                    collect(place, several, request, &mut tokens)?;
                }
            }
            tokens.truncate(1);
            1
        }
        (MultipleTokens::All, _) => {
            for place in places {
                collect(place, several, request, &mut tokens)?;
            }
            MAX_TOKENS
        }
        (MultipleTokens::Reject | MultipleTokens::First, Wanted::OneInEachPlace) => {
            for place in places {
                let mut own = Tokens::new();
                collect(place, several, request, &mut own)?;
                if several == MultipleTokens::Reject && own.len() > 1 {
                    return Err(AuthErrorKind::MultipleTokens.into());
                }
                tokens.extend(own.into_iter().take(1));
            }
            MAX_TOKENS
        }
    };
    match tokens.len() {
        0 => Err(AuthErrorKind::NoCredentials.into()),
        found if found > limit => Err(AuthErrorKind::MultipleTokens.into()),
        _ => Ok(tokens),
    }
}

/// Adds the tokens of one place.
fn collect<'r>(
    place: &TokenLocation,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    match &place.kind {
        LocationKind::Header => from_header(place, several, request, tokens),
        LocationKind::Query => from_query(place, several, request, tokens),
        LocationKind::Cookie => from_cookies(place, several, request, tokens),
        LocationKind::WebSocketProtocol => {
            from_web_socket_protocols(place, several, request, tokens)
        }
    }
}

fn from_header<'r>(
    place: &TokenLocation,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    let mut fields = 0_usize;
    let mut outcome = Ok(());
    request.field_values(&place.name, &mut |value| {
        fields = fields.saturating_add(1);
        let counts = several != MultipleTokens::First || fields == 1;
        let token = match &place.scheme {
            Some(scheme) => after_scheme(value, scheme),
            None => Some(value),
        };
        if !counts || outcome.is_err() {
            return;
        }
        if let Some(token) = token {
            outcome = add(place, token, tokens);
        } else if is_required(place) && !value.is_empty() {
            let reason = "the field of a token lacks the scheme that its place asks for";
            outcome = Err(AuthError::because(AuthErrorKind::MalformedRequest, reason));
        }
    });
    // A field of credentials stands alone: a second one is an error whatever it holds, because
    // another reader of the request may look at that one.
    if several == MultipleTokens::Reject && fields > 1 {
        return Err(AuthErrorKind::MultipleTokens.into());
    }
    outcome
}

pub(super) fn is_required(place: &TokenLocation) -> bool {
    place.scheme.as_ref().is_some_and(|scheme| scheme.form == SchemeForm::Required)
}

/// Returns what follows the scheme and its spaces; `None` for another scheme
/// ([RFC 9110 §11.4]).
///
/// [RFC 9110 §11.4]: https://www.rfc-editor.org/rfc/rfc9110#section-11.4
pub(super) fn after_scheme<'r>(value: &'r [u8], scheme: &Scheme) -> Option<&'r [u8]> {
    let name = scheme.name.as_bytes();
    let (start, rest) = value.split_at_checked(name.len())?;
    // As clients write it, most of the time.
    let is_exact = scheme.form == SchemeForm::Exact;
    if start != name && (is_exact || !start.eq_ignore_ascii_case(name)) {
        return None;
    }
    match rest.first() {
        None => Some(rest),
        Some(_) if scheme.form != SchemeForm::Lenient => rest.strip_prefix(b" "),
        Some(b' ') => Some(trim_spaces(rest)),
        // Not the separator of the grammar, but no other scheme either: a malformed credential.
        Some(b'\t') => Some(rest),
        Some(_) => None,
    }
}

fn trim_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

fn from_query<'r>(
    place: &TokenLocation,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    let Some(query) = request.query() else {
        return Ok(());
    };
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let counts = several != MultipleTokens::First || tokens.is_empty();
        if counts && is_named(name, &place.name) {
            let value: Cow<'r, [u8]> = percent_decode_str(value).into();
            add(place, value, tokens)?;
        }
    }
    Ok(())
}

/// Compares a parameter's name as the next reader of the query will: percent-decoded.
pub(super) fn is_named(encoded: &str, name: &str) -> bool {
    if encoded.contains('%') {
        percent_decode_str(encoded).eq(name.bytes())
    } else {
        encoded == name
    }
}

/// Reads cookies ([RFC 6265 §4.2.1]). HTTP/2 may bring them in several fields.
///
/// [RFC 6265 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1
fn from_cookies<'r>(
    place: &TokenLocation,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    let mut outcome = Ok(());
    request.field_values("cookie", &mut |field| {
        for cookie in field.split(|&byte| byte == b';') {
            let Some(value) = cookie_value(cookie, &place.name) else { continue };
            let counts = several != MultipleTokens::First || tokens.is_empty();
            if counts && outcome.is_ok() {
                outcome = add(place, value, tokens);
            }
        }
    });
    outcome
}

/// Returns the value of a cookie that has this name.
pub(super) fn cookie_value<'c>(cookie: &'c [u8], name: &str) -> Option<&'c [u8]> {
    cookie.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(unquoted)
}

/// Reads the subprotocol that follows the one of the place's name ([RFC 6455 §11.3.4]): the fields
/// make one list, whose empty elements do not count ([RFC 9110 §5.6.1.2]).
///
/// [RFC 6455 §11.3.4]: https://www.rfc-editor.org/rfc/rfc6455#section-11.3.4
/// [RFC 9110 §5.6.1.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1.2
fn from_web_socket_protocols<'r>(
    place: &TokenLocation,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    let (mut follows, mut outcome) = (false, Ok(()));
    request.field_values(WEB_SOCKET_PROTOCOL, &mut |field| {
        let protocols = field.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        for protocol in protocols.filter(|protocol| !protocol.is_empty()) {
            let counts = several != MultipleTokens::First || tokens.is_empty();
            if follows && counts && outcome.is_ok() {
                outcome = add(place, protocol, tokens);
            }
            follows = !follows && protocol == place.name.as_bytes();
        }
    });
    // The name alone is a credential that is not there, like `Bearer` alone.
    if follows && outcome.is_ok() {
        outcome = add(place, &b""[..], tokens);
    }
    outcome
}

/// Takes one pair of double quotes off, which a cookie's value may have.
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

fn add<'r>(
    place: &TokenLocation,
    token: impl Into<Cow<'r, [u8]>>,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    let token = match token.into() {
        Cow::Borrowed(text) if place.trimmed => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) if place.trimmed => Cow::Owned(text.trim_ascii().to_vec()),
        token => token,
    };
    let token = BearerToken::from_bytes(token);
    let Some(token) = without_prefix(place, token)? else { return Ok(()) };
    if token.as_bytes().is_empty() {
        if place.may_be_empty {
            return Ok(());
        }
        let reason = "the place of a token holds an empty one";
        return Err(AuthError::because(AuthErrorKind::MalformedRequest, reason));
    }
    tokens.push(Presented { token, of_issuer: place.issuer.clone() });
    Ok(())
}

/// Takes the prefix off that tokens have in this place; `None` for a token of somebody else.
fn without_prefix<'r>(
    place: &TokenLocation,
    token: BearerToken<'r>,
) -> Result<Option<BearerToken<'r>>> {
    let Some(prefix) = &place.prefix else { return Ok(Some(token)) };
    let is_missing = !token.as_bytes().starts_with(prefix.text.as_bytes());
    if is_missing && prefix.required && !token.as_bytes().is_empty() {
        let reason = "the token lacks the prefix that its place asks for";
        return Err(AuthError::because(AuthErrorKind::MalformedToken, reason));
    }
    // An empty value is told as such, where a token must be.
    if is_missing {
        return Ok(prefix.required.then_some(token));
    }
    Ok(Some(token.without_prefix(&prefix.text, prefix.repeated)))
}
