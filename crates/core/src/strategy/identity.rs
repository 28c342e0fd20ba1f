//! The caller that a strategy accepts.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{AuthError, AuthErrorKind, NumericDate, Principal};

/// The caller that a [strategy](super::Strategy) accepts, as claims: what a JWT would say of it, so that
/// policies, mappings and handlers find the same things at the same names.
///
/// An `iss` claim replaces the name of the strategy as the [issuer](crate::Principal::issuer). The engine
/// rejects a caller whose `iss`, or whose actor's `iss`, is the name of another issuer or strategy of the
/// engine, as [`UntrustedIssuer`](AuthErrorKind::UntrustedIssuer).
///
/// # Examples
///
/// ```
/// use portcullis::strategy::Identity;
///
/// let etl = Identity::new("service:etl").roles(["writer"]).claim("team", "data");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Identity {
    claims: Map<String, Value>,
    unusable: bool,
    /// A caller whose token another engine has found good; then the claims above do not count.
    judged: Option<Principal>,
}

impl Identity {
    /// The caller with this subject.
    pub fn new(subject: impl Into<String>) -> Self {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), Value::String(subject.into()));
        Self { claims, unusable: false, judged: None }
    }

    pub(super) fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// The caller of a token that an engine of the strategy has found good, claims and all.
    pub(super) fn judged(caller: Principal) -> Self {
        Self { judged: Some(caller), ..Self::new("") }
    }

    /// Takes the caller out whose token was found good.
    pub(crate) fn take_judged(&mut self) -> Option<Principal> {
        self.judged.take()
    }

    /// The scope, as scope tokens with spaces between.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.claim("scope", scope.into())
    }

    /// The roles.
    pub fn roles<I: IntoIterator<Item: Into<String>>>(self, roles: I) -> Self {
        self.claim("roles", roles.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// The client that the credential was issued to.
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        self.claim("client_id", client_id.into())
    }

    /// When the credential stops being good: the engine rejects it from then on, with the leeway of 60
    /// seconds that tokens of issuers have.
    pub fn expires_at(self, expires_at: NumericDate) -> Self {
        self.claim("exp", expires_at.seconds())
    }

    /// A claim of any name. One whose value is no JSON makes the engine reject the caller.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.claims.insert(name.into(), value);
            }
            Err(_) => self.unusable = true,
        }
        self
    }

    /// Returns the claims as JSON text.
    pub(crate) fn into_text(self) -> Result<String, AuthError> {
        const REASON: &str = "the strategy's claims are no JSON";
        let error = || AuthError::because(AuthErrorKind::MalformedClaim, REASON);
        if self.unusable {
            return Err(error());
        }
        serde_json::to_string(&self.claims).map_err(|_| error())
    }
}
