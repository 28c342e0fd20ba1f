//! What the engine says of one request.

use std::sync::Arc;

use crate::{
    Anonymous, AuthContext, AuthError, Authenticated, ChallengeSettings, Grant, HiddenTokens,
};

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
