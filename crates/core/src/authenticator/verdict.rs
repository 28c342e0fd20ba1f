//! What the engine says of one request.

use std::sync::Arc;

use crate::{
    Anonymous, AuthContext, AuthError, Authenticated, ChallengeSettings, Grant, HiddenTokens,
    pipeline::respond::is_fault_of_token,
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
    /// The cookie that the token is from; `None` if there are several tokens, or it is from elsewhere.
    pub(crate) cookie: Option<Arc<str>>,
    /// Whether a request without credentials would be let through. It is `false` without a token from a cookie
    /// or an error.
    pub(crate) admits_none: bool,
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

    /// Returns whether the request has nothing but an invalid token in the cookie of this name. A token that
    /// could not be judged is not one: it may be valid.
    pub(crate) fn is_of_invalid_cookie(&self, name: &str) -> bool {
        let is_invalid = self.result.as_ref().is_err_and(|error| is_fault_of_token(error.kind()));
        is_invalid && self.cookie.as_deref() == Some(name)
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
            Ok(caller) => Ok(AuthContext::from(caller).with_cookie(self.cookie)),
            Err(error) if self.admits_anonymous => Ok(Anonymous::because(settings(), error).into()),
            Err(error) => Err(error),
        }
    }
}
