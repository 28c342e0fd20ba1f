//! Where is the token? ([RFC 6750 §2])
//!
//! [RFC 6750 §2]: https://www.rfc-editor.org/rfc/rfc6750#section-2

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    cross_site::CrossSiteRules,
    find::{Content, find, read},
};
use crate::{
    AuthError, AuthErrorKind, BearerToken, MultipleTokens, RequestView, TokenLocation, hooks,
    location::{Custom, LocationKind},
};

/// The tokens of a request that must be proven: at least one.
pub(crate) type Tokens<'r> = SmallVec<[Presented<'r>; 1]>;

/// A token, and the issuer that its location is bound to.
#[derive(Clone, Debug)]
pub(crate) struct Presented<'r> {
    pub(crate) token: BearerToken<'r>,
    /// The only issuer whose tokens the location may hold.
    pub(crate) of_issuer: Option<Arc<str>>,
    pub(crate) is_from_cookie: bool,
}

impl<'r> Presented<'r> {
    /// A token that other code has extracted.
    pub(crate) fn elsewhere(token: &'r str) -> Self {
        Self { token: BearerToken::new(token), of_issuer: None, is_from_cookie: false }
    }

    pub(crate) fn to_owned_token(&self) -> Presented<'static> {
        let (token, of_issuer) = (self.token.to_owned_token(), self.of_issuer.clone());
        Presented { token, of_issuer, is_from_cookie: self.is_from_cookie }
    }

    /// A token of a location.
    fn at(location: &TokenLocation, token: BearerToken<'r>) -> Self {
        Self { token, of_issuer: location.issuer.clone(), is_from_cookie: !location.is_explicit }
    }
}

/// How many tokens a request needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    One,
    /// Tokens of several issuers, each in a location of its own.
    OneInEachPlace,
}

/// How many tokens one request may have verified, where all of them must be.
const MAX_TOKENS: usize = 4;

type Result<T> = std::result::Result<T, AuthError>;

/// The tokens of a request that must be verified, or the reason that it has none.
pub(crate) struct Extracted<'r> {
    pub(crate) tokens: Result<Tokens<'r>>,
    /// The cookie that all of this is from; `None` if any of it is from elsewhere, or nothing was found.
    pub(crate) cookie: Option<Arc<str>>,
}

/// Extracts the tokens that count from a request.
pub(crate) fn extract<'r>(
    locations: &[TokenLocation],
    several: MultipleTokens,
    wanted: Wanted,
    cross_site: &CrossSiteRules,
    request: &'r dyn RequestView,
) -> Extracted<'r> {
    let mut places = Places::None;
    let tokens = extract_from(locations, several, wanted, cross_site, request, &mut places);
    let cookie = match places {
        Places::One(location) if matches!(location.kind, LocationKind::Cookie) => {
            Some(Arc::clone(&location.name))
        }
        _ => None,
    };
    Extracted { tokens, cookie }
}

/// The locations in which something was found.
#[derive(Clone, Copy, Debug)]
enum Places<'l> {
    None,
    One(&'l TokenLocation),
    Several,
}

impl<'l> Places<'l> {
    fn add(&mut self, location: &'l TokenLocation) {
        *self = match self {
            Self::None => Self::One(location),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

/// Extracts the tokens that count from a request, and notes where they are.
///
/// # Errors
///
/// [`AuthErrorKind::NoCredentials`] if no location holds a token, [`AuthErrorKind::MalformedRequest`] if a
/// location holds an empty one, [`AuthErrorKind::MultipleTokens`], and [`AuthErrorKind::CrossSiteRequest`] if
/// one of the tokens is from a cookie, and another site caused the request.
fn extract_from<'l, 'r>(
    locations: &'l [TokenLocation],
    several: MultipleTokens,
    wanted: Wanted,
    cross_site: &CrossSiteRules,
    request: &'r dyn RequestView,
    places: &mut Places<'l>,
) -> Result<Tokens<'r>> {
    let (mut tokens, mut has_cookie) = (Tokens::new(), false);
    let limit = match (several, wanted) {
        (MultipleTokens::Reject, Wanted::One) => {
            for location in locations.iter().filter(|location| location.is_explicit) {
                collect(location, several, request, &mut tokens, places)?;
            }
            for location in locations.iter().filter(|location| !location.is_explicit) {
                if tokens.is_empty() {
                    collect(location, several, request, &mut tokens, places)?;
                    has_cookie = !tokens.is_empty();
                }
            }
            1
        }
        (MultipleTokens::First, Wanted::One) => {
            for location in locations {
                if tokens.is_empty() {
                    collect(location, several, request, &mut tokens, places)?;
                    has_cookie = !location.is_explicit && !tokens.is_empty();
                }
            }
            tokens.truncate(1);
            1
        }
        (MultipleTokens::All, _) => {
            for location in locations {
                let before = tokens.len();
                collect(location, several, request, &mut tokens, places)?;
                has_cookie |= !location.is_explicit && tokens.len() > before;
            }
            MAX_TOKENS
        }
        (MultipleTokens::Reject | MultipleTokens::First, Wanted::OneInEachPlace) => {
            for location in locations {
                let mut own = Tokens::new();
                collect(location, several, request, &mut own, places)?;
                if several == MultipleTokens::Reject && own.len() > 1 {
                    return Err(AuthErrorKind::MultipleTokens.into());
                }
                has_cookie |= !location.is_explicit && !own.is_empty();
                tokens.extend(own.into_iter().take(1));
            }
            MAX_TOKENS
        }
    };
    if has_cookie {
        cross_site.check(request)?;
    }
    match tokens.len() {
        0 => Err(AuthErrorKind::NoCredentials.into()),
        found if found > limit => Err(AuthErrorKind::MultipleTokens.into()),
        _ => Ok(tokens),
    }
}

/// Extracts every token of a request, for an endpoint that ends them all: also those that do not count because
/// another location takes precedence, and those beside a malformed one. Also returns whether one is from a cookie.
///
/// # Errors
///
/// [`AuthErrorKind::InternalError`], if a function of the application panics.
pub(crate) fn extract_all<'r>(
    locations: &[TokenLocation],
    request: &'r dyn RequestView,
) -> Result<(Tokens<'r>, bool)> {
    let (mut tokens, mut has_cookie) = (Tokens::new(), false);
    for location in locations {
        let before = tokens.len();
        if let LocationKind::Custom(custom) = &location.kind {
            let found = collect_custom(location, custom, MultipleTokens::All, request, &mut tokens);
            if let Err(error) = found
                && error.kind() == AuthErrorKind::InternalError
            {
                return Err(error);
            }
        } else {
            find(location, request, &mut |found| {
                if let Content::Token(token) = found.content {
                    tokens.push(Presented::at(location, token));
                }
            });
        }
        has_cookie |= !location.is_explicit && tokens.len() > before;
    }
    Ok((tokens, has_cookie))
}

/// Adds the tokens of one location, and notes whether it has any, or a malformed one.
#[inline]
fn collect<'l, 'r>(
    location: &'l TokenLocation,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
    places: &mut Places<'l>,
) -> Result<()> {
    let before = tokens.len();
    let outcome = collect_tokens(location, several, request, tokens);
    if outcome.is_err() || tokens.len() > before {
        places.add(location);
    }
    outcome
}

fn collect_tokens<'r>(
    location: &TokenLocation,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    if let LocationKind::Custom(custom) = &location.kind {
        return collect_custom(location, custom, several, request, tokens);
    }
    let is_header = matches!(location.kind, LocationKind::Header);
    let (mut last_field, mut outcome) = (0, Ok(()));
    find(location, request, &mut |found| {
        last_field = found.position.field;
        let is_first = if is_header { last_field == 0 } else { tokens.is_empty() };
        if outcome.is_ok() && (is_first || several != MultipleTokens::First) {
            outcome = add(location, found.content, tokens);
        }
    });
    // Only one field of credentials is allowed. A second one is an error whatever it holds, because
    // another reader of the request may use that one.
    if is_header && several == MultipleTokens::Reject && last_field > 0 {
        return Err(AuthErrorKind::MultipleTokens.into());
    }
    outcome
}

fn add<'r>(location: &TokenLocation, content: Content<'r>, tokens: &mut Tokens<'r>) -> Result<()> {
    let token = match content {
        Content::Token(token) => token,
        Content::Empty if location.passes_empty => BearerToken::new(""),
        Content::Empty => {
            let reason = "the place of a token holds an empty one";
            return Err(AuthError::because(AuthErrorKind::MalformedRequest, reason));
        }
        Content::Foreign => return Ok(()),
    };
    tokens.push(Presented::at(location, token));
    Ok(())
}

/// Adds the token that a function of the application makes of what its sources hold.
#[cold]
fn collect_custom<'r>(
    location: &TokenLocation,
    custom: &Custom,
    several: MultipleTokens,
    request: &'r dyn RequestView,
    tokens: &mut Tokens<'r>,
) -> Result<()> {
    let values = custom.sources.iter().map(|source| single_value(source, several, request));
    let values = values.collect::<Result<Vec<_>>>()?;
    if values.iter().all(Option::is_none) {
        return Ok(());
    }
    let values: Vec<_> = values.iter().map(Option::as_deref).collect();
    match hooks::call_to_decide(|| (custom.token)(&values))? {
        Ok(Some(token)) => add(location, read(location, token.into_bytes()), tokens),
        Ok(None) => Ok(()),
        Err(error) if error.kind() == AuthErrorKind::NoCredentials => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns the one value of a source. Where a request has several, the function of the application would
/// have to guess which one counts.
fn single_value(
    source: &TokenLocation,
    several: MultipleTokens,
    request: &dyn RequestView,
) -> Result<Option<String>> {
    let mut values = Tokens::new();
    collect_tokens(source, several, request, &mut values)?;
    if values.len() > 1 {
        return Err(AuthErrorKind::MultipleTokens.into());
    }
    let text = values.pop().map(|value| String::from_utf8(value.token.as_bytes().to_vec()));
    let not_text = |_| AuthError::because(AuthErrorKind::MalformedRequest, "a value is not UTF-8");
    text.transpose().map_err(not_text)
}
