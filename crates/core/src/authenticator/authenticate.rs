//! From a request to its verdict.

use std::sync::Arc;

use super::{Authenticator, Route, Verdict};
use crate::{
    AuthError, AuthErrorKind, Authenticated, HiddenTokens, MaybePending, RequestView,
    TokenLocation,
    engine::{Admission, Engine},
    pipeline::{
        Presented, Stop, Wanted,
        extract::{self, Extracted},
        hide,
    },
};

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Judges a request. The verdict is pending, for a bounded time, if a key is missing that a source
    /// may return, if a strategy takes its time, or if the caller's rights are looked up.
    pub fn authenticate(&self, request: &dyn RequestView) -> MaybePending<Verdict<G>> {
        self.with_engine(|engine| {
            let hidden = engine.hidden_tokens(&self.route, request);
            let Extracted { tokens, cookie } = engine.extract(&self.route, request);
            let tokens = match tokens {
                Ok(tokens) => tokens,
                Err(error) => {
                    return MaybePending::Ready(self.route.no_token(engine, error, hidden, cookie));
                }
            };
            let mut callers = Vec::new();
            match engine.judge(&self.route, &tokens, &mut callers) {
                Err(Stop::Missing(missing, _)) => {
                    let (auth, engine, tokens) = self.for_later(engine, &tokens);
                    MaybePending::Pending(Box::pin(async move {
                        let judged = auth.judge_later(engine, &tokens, callers, *missing);
                        let (engine, result) = judged.await;
                        auth.route.verdict(&engine, result, hidden, cookie)
                    }))
                }
                judged => {
                    let result = judged.map_err(Stop::into_error);
                    MaybePending::Ready(self.route.verdict(engine, result, hidden, cookie))
                }
            }
        })
    }

    /// Judges a request by what is at hand, without waiting. Whatever
    /// [`authenticate`](Self::authenticate) would wait for, a key, a strategy or the caller's rights,
    /// rejects the request. A missing key is still requested from its source, for later requests.
    #[must_use]
    pub fn authenticate_now(&self, request: &dyn RequestView) -> Verdict<G> {
        self.with_engine(|engine| {
            let hidden = engine.hidden_tokens(&self.route, request);
            let Extracted { tokens, cookie } = engine.extract(&self.route, request);
            match tokens {
                Ok(tokens) => {
                    let judged = engine.judge(&self.route, &tokens, &mut Vec::new());
                    self.route.verdict(engine, judged.map_err(Stop::into_error), hidden, cookie)
                }
                Err(error) => self.route.no_token(engine, error, hidden, cookie),
            }
        })
    }

    /// Judges a token that other code extracted from a request, as [`authenticate`](Self::authenticate)
    /// judges a request.
    ///
    /// # Errors
    ///
    /// Why the token is rejected. A text that is not a `b64token` is
    /// [`MalformedRequest`](AuthErrorKind::MalformedRequest), and an empty one
    /// [`NoCredentials`](AuthErrorKind::NoCredentials).
    pub fn authenticate_token(
        &self,
        token: &str,
    ) -> MaybePending<Result<Authenticated<G>, AuthError>> {
        self.with_engine(|engine| {
            let (tokens, mut callers) = ([Presented::elsewhere(token)], Vec::new());
            match self.judge_token(engine, &tokens, &mut callers) {
                Err(Stop::Missing(missing, _)) => {
                    let (auth, engine, tokens) = self.for_later(engine, &tokens);
                    MaybePending::Pending(Box::pin(async move {
                        auth.judge_later(engine, &tokens, callers, *missing).await.1
                    }))
                }
                judged => MaybePending::Ready(judged.map_err(Stop::into_error)),
            }
        })
    }

    /// Judges a token that other code extracted from a request by what is at hand, as
    /// [`authenticate_now`](Self::authenticate_now) judges a request.
    ///
    /// # Errors
    ///
    /// As [`authenticate_token`](Self::authenticate_token). Whatever that would wait for is an error too.
    pub fn authenticate_token_now(&self, token: &str) -> Result<Authenticated<G>, AuthError> {
        self.with_engine(|engine| {
            let judged = self.judge_token(engine, &[Presented::elsewhere(token)], &mut Vec::new());
            judged.map_err(Stop::into_error)
        })
    }

    /// Returns the parts of a request that hold tokens, without them, for a request that is not judged.
    #[must_use]
    pub fn hidden_tokens(&self, request: &dyn RequestView) -> HiddenTokens {
        self.with_engine(|engine| engine.hidden_tokens(&self.route, request))
    }

    fn judge_token(
        &self,
        engine: &Engine<G>,
        token: &[Presented<'_>; 1],
        callers: &mut Vec<Authenticated<G>>,
    ) -> Result<Authenticated<G>, Stop> {
        let [presented] = token;
        if presented.token.as_bytes().is_empty() {
            return Err(AuthError::from(AuthErrorKind::NoCredentials).into());
        }
        engine.start_tasks();
        engine.judge(&self.route, token, callers)
    }

    /// Returns what a pending result keeps: the tokens, and nothing else of the request.
    fn for_later(
        &self,
        engine: &Arc<Engine<G>>,
        tokens: &[Presented<'_>],
    ) -> (Self, Arc<Engine<G>>, Vec<Presented<'static>>) {
        let tokens = tokens.iter().map(Presented::to_owned_token).collect();
        (self.clone(), Arc::clone(engine), tokens)
    }
}

impl<G: Send + Sync + 'static> Engine<G> {
    fn extract<'r>(&self, route: &Route, request: &'r dyn RequestView) -> Extracted<'r> {
        self.start_tasks();
        let wanted = match &route.requirement {
            Some(requirement) if requirement.is_of_several() => Wanted::OneInEachPlace,
            _ => Wanted::One,
        };
        let (locations, several) = (route.locations(self), self.multiple_tokens);
        extract::extract(locations, several, wanted, &self.cross_site, request)
    }

    fn hidden_tokens(&self, route: &Route, request: &dyn RequestView) -> HiddenTokens {
        hide::hide(route.locations(self), self.hide, request)
    }
}

impl Route {
    pub(super) fn locations<'e, G>(&'e self, engine: &'e Engine<G>) -> &'e [TokenLocation] {
        self.locations.as_deref().unwrap_or(&engine.locations)
    }

    /// Returns which requests without a caller the route admits, as far as the engine allows it.
    fn admission<G>(&self, engine: &Engine<G>) -> Admission {
        engine.anonymous.limited(self.admission)
    }

    /// Returns the verdict on a request with a token.
    fn verdict<G>(
        &self,
        engine: &Engine<G>,
        result: Result<Authenticated<G>, AuthError>,
        hidden: HiddenTokens,
        cookie: Option<Arc<str>>,
    ) -> Verdict<G> {
        let admits_anonymous =
            result.is_err() && self.admission(engine) == Admission::DangerousFailed;
        let admits_none = cookie.is_some() && self.admits_none(engine);
        Verdict { result, hidden, admits_anonymous, cookie, admits_none }
    }

    /// Returns the verdict on a request without a token, or with several of which none may be chosen.
    fn no_token<G>(
        &self,
        engine: &Engine<G>,
        error: AuthError,
        hidden: HiddenTokens,
        cookie: Option<Arc<str>>,
    ) -> Verdict<G> {
        let is_empty = error.kind() == AuthErrorKind::NoCredentials;
        let admits_none = self.admits_none(engine);
        let admits_anonymous =
            (is_empty && admits_none) || self.admission(engine) == Admission::DangerousFailed;
        Verdict { result: Err(error), hidden, admits_anonymous, cookie, admits_none }
    }

    /// Returns whether the route admits requests without credentials.
    fn admits_none<G>(&self, engine: &Engine<G>) -> bool {
        self.admission(engine) == Admission::Optional
            || self.requirement.as_ref().is_some_and(|required| required.is_met_by_none())
                && engine.anonymous.limited(Admission::Optional) == Admission::Optional
    }
}
