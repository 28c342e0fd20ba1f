//! What the engine says of one request.

use std::{fmt, sync::Arc};

use crate::{Anonymous, AuthContext, AuthError, ChallengeSettings, Grant, HiddenTokens, Principal};

/// What the engine says of one request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verdict<G = Grant> {
    /// The caller, or why the request is rejected.
    pub result: Result<Authenticated<G>, AuthError>,
    /// The parts of the request that hold tokens, without them: what handlers and their logs should
    /// see, whatever the verdict.
    pub hidden: HiddenTokens,
    /// Whether the request is let through without a caller, though there is an error. What an adapter
    /// does not look at, it rejects.
    pub admits_anonymous: bool,
}

impl<G> Verdict<G> {
    /// Returns the verdict for a route that is declared public. It admits the request whatever
    /// credentials came with it: an invalid token makes the caller anonymous.
    ///
    /// The route alone decides that it is public, so this holds in
    /// [production](crate::AuthenticatorBuilder::production) too.
    #[must_use]
    pub fn for_public_route(self) -> Self {
        Self { admits_anonymous: self.result.is_err(), ..self }
    }

    /// Returns what an adapter leaves in the request. `settings` are those of the engine.
    ///
    /// # Errors
    ///
    /// Why the adapter must reject the request.
    pub fn into_context(
        self,
        settings: impl FnOnce() -> Arc<ChallengeSettings>,
    ) -> Result<AuthContext, AuthError>
    where
        G: Send + Sync + 'static,
    {
        match self.result {
            Ok(caller) => Ok(caller.into()),
            Err(error) if self.admits_anonymous => Ok(Anonymous::because(settings(), error).into()),
            Err(error) => Err(error),
        }
    }
}

/// A caller whose token was found good.
pub struct Authenticated<G = Grant> {
    principal: Principal,
    grant: Arc<G>,
    others: Vec<Self>,
}

impl<G> Authenticated<G> {
    pub(crate) fn new(principal: Principal, grant: Arc<G>) -> Self {
        Self { principal, grant, others: Vec::new() }
    }

    pub(crate) fn with_others(self, others: Vec<Self>) -> Self {
        Self { others, ..self }
    }

    /// Returns who calls.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns what they may do. It was made once and is shared.
    #[must_use]
    pub fn grant(&self) -> &Arc<G> {
        &self.grant
    }

    /// Returns the callers of the other tokens, where a request may bring several: all were found
    /// good.
    #[must_use]
    pub fn others(&self) -> &[Self] {
        &self.others
    }

    /// Returns principal and grant.
    #[must_use]
    pub fn into_parts(self) -> (Principal, Arc<G>) {
        (self.principal, self.grant)
    }

    pub(crate) fn into_all(self) -> (Principal, Arc<G>, Vec<Self>) {
        (self.principal, self.grant, self.others)
    }
}

impl<G> Clone for Authenticated<G> {
    fn clone(&self) -> Self {
        Self {
            principal: self.principal.clone(),
            grant: Arc::clone(&self.grant),
            others: self.others.clone(),
        }
    }
}

impl<G: fmt::Debug> fmt::Debug for Authenticated<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated")
            .field("principal", &self.principal)
            .field("grant", &self.grant)
            .field("others", &self.others)
            .finish()
    }
}
