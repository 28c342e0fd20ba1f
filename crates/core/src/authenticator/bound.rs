//! The engine of one request, and what its route asks for.

use std::sync::Arc;

use super::{
    Admission, Authenticated, Authenticator, Engine, Judgement, Verdict, Waiting, judge::Held,
};
use crate::{
    AuthError, AuthErrorKind, HiddenTokens, RequestView, TokenLocation,
    pipeline::{Presented, Wanted, extract, hide},
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
    pub(super) fn begin(self, request: &dyn RequestView) -> Judgement<G> {
        let engine = &**self.engine;
        #[cfg(feature = "remote")]
        engine.start_tasks();
        let hidden = self.hidden_tokens(request);
        let wanted = match &self.handle.route.requirement {
            Some(requirement) if requirement.is_of_several() => Wanted::OneInEachPlace,
            _ => Wanted::One,
        };
        let tokens = match extract::extract(self.places(), engine.several, wanted, request) {
            Ok(tokens) => tokens,
            Err(error) => return Judgement::Done(self.verdict_without_tokens(error, hidden)),
        };
        self.begin_tokens(&tokens, hidden)
    }

    pub(super) fn begin_token(self, token: &str) -> Judgement<G> {
        let hidden = HiddenTokens::default();
        if token.is_empty() {
            let error = AuthErrorKind::NoCredentials.into();
            return Judgement::Done(self.verdict_without_tokens(error, hidden));
        }
        #[cfg(feature = "remote")]
        self.engine.start_tasks();
        self.begin_tokens(&[Presented::elsewhere(token)], hidden)
    }

    pub(super) fn begin_tokens(
        self,
        tokens: &[Presented<'_>],
        hidden: HiddenTokens,
    ) -> Judgement<G> {
        match self.judge(tokens) {
            Ok(caller) => Judgement::Done(self.verdict(Ok(caller), hidden)),
            Err(Held { error, begun: None }) => Judgement::Done(self.verdict(Err(error), hidden)),
            Err(Held { error, begun: Some(begun) }) => {
                let verdict = self.verdict(Err(error), hidden);
                Judgement::Waiting(Waiting::new(self, tokens, begun, verdict))
            }
        }
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
