//! The claims of the token that a client gets.

use std::time::Duration;

use portcullis::grant::Scope;
use serde_json::{Map, Value};

use super::EXCHANGED;

/// The claims that only the endpoint and the minter write.
const RESERVED: [&str; 13] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "act",
    "client_id",
    "scope",
    "sid",
    "orig_iat",
    EXCHANGED,
];

/// What a hook decides about the token that a client gets.
///
/// [`ExchangeRequest::narrow`](super::ExchangeRequest::narrow) creates it with safe defaults.
#[derive(Clone, Debug)]
#[must_use]
pub struct ExchangedClaims {
    pub(super) subject: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) scope: Scope,
    pub(super) audiences: Vec<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) claims: Map<String, Value>,
}

impl ExchangedClaims {
    /// Starts with the audiences of the token and nothing else: the subject is that of the subject token, the
    /// actor is that of the actor token, and there are no scopes.
    pub fn new<I: IntoIterator<Item: Into<String>>>(audiences: I) -> Self {
        Self {
            subject: None,
            actor: None,
            scope: Scope::default(),
            audiences: audiences.into_iter().map(Into::into).collect(),
            lifetime: None,
            claims: Map::new(),
        }
    }

    /// Sets the subject, as the issuer of the exchanged tokens names it. Default: the `sub` of the subject
    /// token.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// Sets the acting party, as the issuer of the exchanged tokens names it. Former actors stay behind it.
    /// Default: `sub` and `iss` of the actor token, or nothing without one.
    pub fn actor(self, actor: impl Into<String>) -> Self {
        Self { actor: Some(actor.into()), ..self }
    }

    /// Replaces the scopes. What is not a scope token ([RFC 6749 §3.3]) is left out.
    ///
    /// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
    pub fn scope(self, scope: impl Into<Scope>) -> Self {
        Self { scope: scope.into(), ..self }
    }

    /// Replaces the audiences. Without any, or with an empty one, the response is `invalid_target`.
    pub fn audiences<I: IntoIterator<Item: Into<String>>>(self, audiences: I) -> Self {
        Self { audiences: audiences.into_iter().map(Into::into).collect(), ..self }
    }

    /// Limits the lifetime. It is never longer than that of the minter, or than what is left of the subject token
    /// and the actor token.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// Adds a claim. `iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `jti`, `act`, `client_id`, `scope`, `sid`,
    /// `orig_iat` and `exchanged` are written by the endpoint and cannot be set here.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Returns the claims of the application, without those that the endpoint writes.
    pub(super) fn own_claims(&self) -> Map<String, Value> {
        let own = self.claims.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
        own.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
