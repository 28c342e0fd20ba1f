//! The engine of one request, and what its route asks for.

use std::sync::Arc;

use super::{
    Admission, Authenticated, Authenticator, Engine, Verdict,
    judge::Held,
    waiting::{result_later, verdict_later},
};
use crate::{
    AuthError, AuthErrorKind, HiddenTokens, MaybePending, RequestView, TokenLocation,
    pipeline::{
        Presented, Wanted,
        extract::{self, Tokens},
        hide,
    },
};

/// The engine of one request, and the handle that it came to.
pub(super) struct Bound<'e, G> {
    pub(super) engine: &'e Arc<Engine<G>>,
    /// Where the newest engine is, if this one may be replaced, and what its route asks for.
    pub(super) handle: &'e Authenticator<G>,
}

impl<G> Clone for Bound<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Bound<'_, G> {}

impl<'e, G: Send + Sync + 'static> Bound<'e, G> {
    pub(super) fn authenticate(self, request: &dyn RequestView) -> MaybePending<Verdict<G>> {
        let hidden = self.hidden_tokens(request);
        let tokens = match self.extract(request) {
            Ok(tokens) => tokens,
            Err(error) => return MaybePending::Ready(self.verdict_without_tokens(error, hidden)),
        };
        match self.judge(&tokens) {
            Ok(caller) => MaybePending::Ready(self.verdict(Ok(caller), hidden)),
            Err(Held { error, begun: None }) => {
                MaybePending::Ready(self.verdict(Err(error), hidden))
            }
            Err(Held { begun: Some(begun), .. }) => {
                MaybePending::Pending(verdict_later(self, &tokens, begun, hidden))
            }
        }
    }

    pub(super) fn authenticate_now(self, request: &dyn RequestView) -> Verdict<G> {
        let hidden = self.hidden_tokens(request);
        match self.extract(request) {
            Ok(tokens) => self.verdict(self.judge(&tokens).map_err(|held| held.error), hidden),
            Err(error) => self.verdict_without_tokens(error, hidden),
        }
    }

    pub(super) fn authenticate_token(
        self,
        token: &str,
    ) -> MaybePending<Result<Authenticated<G>, AuthError>> {
        let tokens = [Presented::elsewhere(token)];
        match self.judge_token(token) {
            Ok(caller) => MaybePending::Ready(Ok(caller)),
            Err(Held { error, begun: None }) => MaybePending::Ready(Err(error)),
            Err(Held { begun: Some(begun), .. }) => {
                MaybePending::Pending(result_later(self, &tokens, begun))
            }
        }
    }

    pub(super) fn judge_token(self, token: &str) -> Result<Authenticated<G>, Held<G>> {
        if token.is_empty() {
            return Err(AuthError::from(AuthErrorKind::NoCredentials).into());
        }
        self.engine.start_tasks();
        self.judge(&[Presented::elsewhere(token)])
    }

    fn extract<'r>(self, request: &'r dyn RequestView) -> Result<Tokens<'r>, AuthError> {
        let engine = &**self.engine;
        engine.start_tasks();
        let wanted = match &self.handle.route.requirement {
            Some(requirement) if requirement.is_of_several() => Wanted::OneInEachPlace,
            _ => Wanted::One,
        };
        extract::extract(self.places(), engine.several, wanted, request)
    }

    pub(super) fn hidden_tokens(self, request: &dyn RequestView) -> HiddenTokens {
        hide::hide(self.places(), self.engine.hide, request)
    }

    fn places(self) -> &'e [TokenLocation] {
        self.handle.route.places.as_deref().unwrap_or(&self.engine.places)
    }

    /// What the route lets through, as far as the engine allows it.
    pub(super) fn admission(self) -> Admission {
        self.engine.anonymous.limited(self.handle.route.admission)
    }

    /// A request that has presented something.
    pub(super) fn verdict(
        &self,
        result: Result<Authenticated<G>, AuthError>,
        hidden: HiddenTokens,
    ) -> Verdict<G> {
        let admits_anonymous = result.is_err() && self.admission() == Admission::DangerousFailed;
        Verdict { result, hidden, admits_anonymous }
    }

    /// A request without a token to judge: nothing was presented, or not in a way that tells which
    /// token counts.
    pub(super) fn verdict_without_tokens(
        &self,
        error: AuthError,
        hidden: HiddenTokens,
    ) -> Verdict<G> {
        let is_empty = error.kind() == AuthErrorKind::NoCredentials;
        let admission = self.admission();
        let may_be_empty = admission == Admission::Optional
            || self.handle.route.requirement.as_ref().is_some_and(|asked| asked.is_met_by_none())
                && self.engine.anonymous.limited(Admission::Optional) == Admission::Optional;
        let admits_anonymous =
            (is_empty && may_be_empty) || admission == Admission::DangerousFailed;
        Verdict { result: Err(error), hidden, admits_anonymous }
    }
}
