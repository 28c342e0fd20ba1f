//! Tokens that may be used once: the last step of a request.

use super::Route;
use crate::{
    AuthError, AuthErrorKind, Authenticated, Principal,
    engine::Engine,
    pipeline::{Missing, Stop, check_caller},
};

/// The tokens that a request has used: issuer and `jti`. If the request is judged again by a newer engine,
/// this is no second use.
#[derive(Debug, Default)]
pub(super) struct Used(Vec<(String, String)>);

impl Used {
    fn has(&self, issuer: &str, token_id: &str) -> bool {
        self.0.iter().any(|(own_issuer, own_id)| own_issuer == issuer && own_id == token_id)
    }
}

impl<G: Send + Sync + 'static> Engine<G> {
    /// Stops at good tokens of which one may be used once.
    pub(super) fn check_first_use<'c>(
        &self,
        route: &Route,
        mut callers: impl Iterator<Item = &'c Authenticated<G>>,
    ) -> Result<(), Stop> {
        if self.one_time.is_some()
            && !route.defers_use
            && callers.any(|caller| self.may_be_used_once(caller.principal()))
        {
            return Err(Stop::at_store(Missing::FirstUse));
        }
        Ok(())
    }

    /// Uses the tokens of a request that has waited and is about to be accepted: those that may be used once.
    /// Also checks again that none of them was revoked meanwhile on this replica.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::TokenReplayed`], [`AuthErrorKind::StoreUnavailable`] and
    /// [`AuthErrorKind::TokenRevoked`].
    pub(super) async fn use_tokens(
        &self,
        route: &Route,
        judged: Result<Authenticated<G>, AuthError>,
        used: &mut Used,
    ) -> Result<Authenticated<G>, AuthError> {
        let caller = judged?;
        let once = |caller: &&Principal| !route.defers_use && self.may_be_used_once(caller);
        for caller in all(&caller).filter(once) {
            check_caller(self, caller)?;
            self.use_token(caller, used).await?;
        }
        all(&caller).try_for_each(|caller| check_caller(self, caller))?;
        Ok(caller)
    }

    pub(super) async fn use_token(
        &self,
        caller: &Principal,
        used: &mut Used,
    ) -> Result<(), AuthError> {
        const REASON: &str = "the token cannot be remembered as used";
        let error = || AuthError::because(AuthErrorKind::StoreUnavailable, REASON);
        // All three were checked before.
        let store = self.one_time.as_ref().ok_or_else(error)?;
        let token_id = caller.token_id().ok_or_else(error)?;
        let until = caller.remembered_until().ok_or_else(error)?;
        let issuer = caller.issuer();
        if !used.has(issuer, token_id) {
            store.consume(issuer, token_id, until, &*self.clock).await?;
            used.0.push((issuer.to_owned(), token_id.to_owned()));
        }
        Ok(())
    }

    pub(super) fn may_be_used_once(&self, caller: &Principal) -> bool {
        caller.origin().one_time && !self.is_inner
    }
}

fn all<G>(caller: &Authenticated<G>) -> impl Iterator<Item = &Principal> {
    std::iter::once(caller).chain(caller.others()).map(Authenticated::principal)
}
