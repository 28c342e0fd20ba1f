//! Tokens that are used later than they are authenticated.

use std::{fmt, sync::Arc};

use super::{Authenticator, Route, Source, one_time::Used, pending::replaced};
use crate::{
    AuthError, AuthErrorKind, Authenticated, Grant, MaybePending, Principal, engine::Engine,
    pipeline::check_caller,
};

/// Authenticates the tokens in one request to an endpoint now, and uses them when the endpoint accepts the
/// request: a token that may be used once must not count as used because something else is wrong with the
/// request.
///
/// All tokens are judged by the engine of the moment in which this value is created.
pub struct DeferredUse<G = Grant> {
    auth: Authenticator<G>,
    engine: Arc<Engine<G>>,
    fixed: Authenticator<G>,
}

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Starts to authenticate tokens that are used later. A [requirement](Self::with_requirement) of this handle
    /// applies to each token alone.
    #[must_use]
    pub fn defer_use(&self) -> DeferredUse<G> {
        let engine = self.engine();
        let route = Route { defers_use: true, ..self.route.clone() };
        let fixed = Self { source: Source::Fixed(Arc::clone(&engine)), route };
        DeferredUse { auth: self.clone(), engine, fixed }
    }

    /// Returns whether the engine can use tokens once: it has a
    /// [store](crate::AuthenticatorBuilder::replay_store) of used tokens.
    #[must_use]
    pub fn has_replay_store(&self) -> bool {
        self.engine().one_time.is_some()
    }
}

impl<G: Send + Sync + 'static> DeferredUse<G> {
    /// Judges a token by all rules of the engine, and does not use it.
    ///
    /// # Errors
    ///
    /// As [`Authenticator::authenticate_token`].
    pub fn authenticate_token(
        &self,
        token: &str,
    ) -> MaybePending<Result<Authenticated<G>, AuthError>> {
        self.fixed.authenticate_token(token)
    }

    /// Uses the tokens of callers, in order, if their issuers' tokens may be used
    /// [once](crate::Issuer::one_time). Checks again that none was revoked on this replica.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::TokenReplayed`], [`AuthErrorKind::TokenRevoked`] and
    /// [`AuthErrorKind::StoreUnavailable`]; [`AuthErrorKind::ResolverUnavailable`] if the engine was replaced
    /// meanwhile, because a new engine may not trust what this one did.
    pub async fn use_tokens(&self, callers: &[&Principal]) -> Result<(), AuthError> {
        self.use_those(callers, |caller| self.engine.may_be_used_once(caller)).await
    }

    /// Uses the tokens of callers, in order, as [`use_tokens`](Self::use_tokens) does, whether or not their
    /// issuers' tokens may be used once.
    ///
    /// # Errors
    ///
    /// As [`use_tokens`](Self::use_tokens), and [`AuthErrorKind::MissingClaim`] for a token without a `jti` or
    /// an `exp`.
    pub async fn use_tokens_once(&self, callers: &[&Principal]) -> Result<(), AuthError> {
        for caller in callers {
            check_can_be_remembered(caller)?;
        }
        self.use_those(callers, |_| true).await
    }

    async fn use_those(
        &self,
        callers: &[&Principal],
        once: impl Fn(&Principal) -> bool,
    ) -> Result<(), AuthError> {
        self.check(callers)?;
        for caller in callers.iter().filter(|caller| once(caller)) {
            // Two tokens of one id in one request are a replay too.
            self.engine.use_token(caller, &mut Used::default()).await?;
        }
        self.check(callers)
    }

    fn check(&self, callers: &[&Principal]) -> Result<(), AuthError> {
        if !Arc::ptr_eq(&self.engine, &self.auth.engine()) {
            return replaced("the configuration changed while the request waited");
        }
        callers.iter().try_for_each(|caller| check_caller(&*self.engine, caller))
    }
}

fn check_can_be_remembered(caller: &Principal) -> Result<(), AuthError> {
    let missing = |reason| Err(AuthError::because(AuthErrorKind::MissingClaim, reason));
    if caller.token_id().is_none_or(str::is_empty) {
        return missing("no `jti` to remember the token by");
    }
    if caller.expires_at().is_none() {
        return missing("no `exp`, until when the token would be remembered");
    }
    Ok(())
}

impl<G> fmt::Debug for DeferredUse<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredUse").finish_non_exhaustive()
    }
}
