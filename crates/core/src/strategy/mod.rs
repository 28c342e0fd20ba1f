//! Strategies for other credentials than the issuers' tokens: static tokens, tenants, and your own.

mod chain;
mod identity;
mod static_tokens;
mod tenants;

use std::fmt::Debug;

pub(crate) use chain::{PendingStrategy, Registered, Slot, answer, names};
pub use identity::Identity;
pub use static_tokens::{
    CUT_OFF_SETTLED, StaticTokenError, StaticTokens, StaticTokensBuilder, TokenFile, TokenFormat,
    is_one_token,
};
pub use tenants::{IssuerResolver, Tenants};

use crate::{AuthError, AuthErrorKind, BearerToken, BoxFuture, ConfigError, json::Object};

/// A kind of credential that the application judges itself: session ids, keys of its own making,
/// tokens that another service looks up.
///
/// The engine asks its strategies in the order in which they were added; the issuers of JWTs are one
/// of them, at the place of the first. The first that accepts or rejects ends it. A panic rejects
/// the request as [`ResolverUnavailable`](AuthErrorKind::ResolverUnavailable), and so does an answer that
/// takes [too long](crate::AuthenticatorBuilder::strategy_timeout).
///
/// # Examples
///
/// ```
/// use portcullis::{AuthErrorKind, Authenticator, strategy::{Attempt, Credential, Identity, Strategy}};
///
/// #[derive(Debug)]
/// struct Sessions;
///
/// impl Strategy for Sessions {
///     fn name(&self) -> &str {
///         "sessions"
///     }
///
///     fn attempt(&self, credential: &Credential<'_>) -> Attempt {
///         match credential.token().strip_prefix("sess_") {
///             None => Attempt::Abstain,
///             Some("4711") => Attempt::Accept(Identity::new("alice").roles(["writer"])),
///             Some(_) => Attempt::Reject(AuthErrorKind::TokenRevoked.into()),
///         }
///     }
/// }
///
/// let auth = Authenticator::builder().strategy(Sessions).build()?;
/// assert_eq!(auth.authenticate_token_now("sess_4711")?.principal().subject(), "alice");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Strategy: Debug + Send + Sync {
    /// Returns the name, which is the [issuer](crate::Principal::issuer) of its callers and what
    /// [`Requirement::issuer`](crate::Requirement::issuer) and
    /// [`TokenLocation::of_issuer`](crate::TokenLocation::of_issuer) name.
    ///
    /// The name belongs to the strategy: the engine rejects every caller of another source that carries it,
    /// such as a tenant or an issuer that [stands for any](crate::Issuer::dangerous_any).
    fn name(&self) -> &str;

    /// Judges a token, or leaves it to the next. It must not block: what takes time is
    /// [`Attempt::Later`].
    fn attempt(&self, credential: &Credential<'_>) -> Attempt;

    /// Checks that an engine for [production](crate::AuthenticatorBuilder::production) may have the
    /// strategy, when it is built with it or gets it later. Default: it may.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Production`], which stops the engine.
    fn check_production(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// What a strategy says of a token.
#[expect(clippy::exhaustive_enums, reason = "a strategy has no more to say")]
pub enum Attempt {
    /// It is good, and stands for this caller.
    Accept(Identity),
    /// It is of this kind, and bad.
    Reject(AuthError),
    /// It is of another kind.
    Abstain,
    /// It takes a while to say.
    Later(BoxFuture<'static, Self>),
}

impl Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accept(identity) => f.debug_tuple("Accept").field(identity).finish(),
            Self::Reject(error) => f.debug_tuple("Reject").field(error).finish(),
            Self::Abstain => f.write_str("Abstain"),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// A token that no strategy has judged yet. `Debug` does not show it.
pub struct Credential<'a> {
    token: &'a str,
    /// Those of the engine that asks, if one does.
    reserved: Option<&'a (dyn ReservedNames + Send + Sync)>,
}

/// The names that belong to the issuers and strategies of an engine.
pub(crate) trait ReservedNames {
    fn is_reserved(&self, name: &str) -> bool;
}

impl<'a> Credential<'a> {
    /// Takes a token, as the engine would give it to a strategy: for tests of one.
    #[must_use]
    pub fn new(token: &'a str) -> Self {
        Self { token, reserved: None }
    }

    /// Reads a token that is text.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::MalformedRequest`] if it is none.
    pub(crate) fn of(
        token: &'a BearerToken<'_>,
        reserved: &'a (dyn ReservedNames + Send + Sync),
    ) -> Result<Self, AuthError> {
        let reason = "the token is no text";
        let text = std::str::from_utf8(token.as_bytes());
        let token =
            text.map_err(|_| AuthError::because(AuthErrorKind::MalformedRequest, reason))?;
        Ok(Self { token, reserved: Some(reserved) })
    }

    /// Returns whether a name belongs to an issuer or a strategy of the engine.
    fn is_reserved(&self, name: &str) -> bool {
        self.reserved.is_some_and(|reserved| reserved.is_reserved(name))
    }

    /// Returns the token.
    #[must_use]
    pub fn token(&self) -> &'a str {
        self.token
    }

    /// Returns the `iss` of a token that looks like a JWT. Nothing about it is verified: it tells
    /// whose token it claims to be, for a strategy to abstain.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<String> {
        let mut segments = self.token.split('.');
        let (_, payload) = (segments.next()?, segments.next()?);
        if segments.next().is_none() || segments.next().is_some() {
            return None;
        }
        let payload = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).ok()?;
        let payload = String::from_utf8(payload).ok()?;
        let claims = Object::parse(&payload).ok()?;
        claims.find("iss")?.as_str().map(std::borrow::Cow::into_owned)
    }
}

impl Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(***)")
    }
}
