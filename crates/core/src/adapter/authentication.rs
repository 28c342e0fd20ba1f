//! What a layer that authenticates requests does.

use std::{fmt, mem, sync::Arc};

use super::{ChallengeMap, Outcome, response::cache_control};
use crate::{
    Admission, Anonymous, AuthContext, AuthError, Authenticator, Challenge, Grant, MaybePending,
    Rejection, RequestView, Verdict,
    endpoint::SetCookies,
    hooks::{VerdictHook, call_to_decide},
};

/// What a layer that authenticates requests is configured with, and what it does. `T` is the
/// framework's type of request targets. Cloning copies pointers.
pub struct Authentication<T, G = Grant> {
    auth: Authenticator<G>,
    /// Whether CORS preflights pass without being authenticated.
    passes_preflight: bool,
    is_public: Option<Arc<IsPublic<T>>>,
    hook: VerdictHook<G>,
    challenge: ChallengeMap,
    /// What removes the session cookie.
    removal: Option<SetCookies>,
}

type IsPublic<T> = dyn Fn(&T) -> bool + Send + Sync;

impl<T, G: Send + Sync + 'static> Authentication<T, G> {
    /// Starts with the default: every request needs valid credentials.
    #[must_use]
    pub fn new(auth: Authenticator<G>) -> Self {
        let (hook, challenge) = (VerdictHook::default(), ChallengeMap::default());
        Self { auth, passes_preflight: false, is_public: None, hook, challenge, removal: None }
    }

    /// Admits requests without a caller. Default: [`Admission::Required`].
    #[must_use]
    pub fn with_admission(self, admission: Admission) -> Self {
        Self { auth: self.auth.with_admission(admission), ..self }
    }

    /// Passes CORS preflights ([Fetch, CORS-preflight request]). Default: they are authenticated.
    ///
    /// [Fetch, CORS-preflight request]: https://fetch.spec.whatwg.org/#cors-preflight-request
    #[must_use]
    pub fn pass_preflight(self) -> Self {
        Self { passes_preflight: true, ..self }
    }

    /// Admits every request for some targets. Default: none. If the function panics, the request is
    /// rejected with 500.
    #[must_use]
    pub fn public(self, is_public: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        Self { is_public: Some(Arc::new(is_public)), ..self }
    }

    /// Changes the challenges of rejections. Default: none is changed.
    #[must_use]
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { challenge: ChallengeMap::new(map), ..self }
    }

    /// Removes a session cookie whose token is invalid (401 or 400), in the response to the request. If requests
    /// without credentials are admitted, the request then counts as one of them; otherwise it is rejected. A
    /// cookie whose token could not be judged (503) remains, and so does one beside another token. Default: no
    /// cookie is removed.
    ///
    /// Requests for [public](Self::public) targets keep the cookie, because they do not wait for the verdict.
    #[must_use]
    pub fn remove_invalid_cookie(self, removal: SetCookies) -> Self {
        Self { removal: Some(removal), ..self }
    }

    /// Calls a function with each verdict. Default: none. If the function panics, the request is rejected
    /// with 500.
    #[must_use]
    pub fn on_verdict(self, hook: impl Fn(&Verdict<G>) + Send + Sync + 'static) -> Self {
        Self { hook: VerdictHook::new(hook), ..self }
    }

    /// Returns the engine.
    #[must_use]
    pub fn authenticator(&self) -> &Authenticator<G> {
        &self.auth
    }

    /// Returns what to do with a request that passes as a preflight, without its tokens and without a
    /// caller; `None` if the request must be authenticated.
    #[inline]
    pub fn preflight(&self, request: &dyn RequestView, method: &str) -> Option<Outcome> {
        if !self.passes_preflight || method != "OPTIONS" {
            return None;
        }
        let has = |name| {
            let mut has = false;
            request.field_values(name, &mut |_| has = true);
            has
        };
        let passes = has("origin") && has("access-control-request-method");
        passes.then(|| Outcome {
            result: Ok(Some(AuthContext::passed_preflight(self.auth.challenge_settings()))),
            hidden: self.auth.hidden_tokens(request),
            set_cookies: None,
        })
    }

    /// Authenticates a request. A request for a public target never waits.
    pub fn authenticate(
        &self,
        request: &dyn RequestView,
        method: &str,
        target: &T,
    ) -> MaybePending<Outcome> {
        let is_head = method == "HEAD";
        match self.verdict(request, target) {
            MaybePending::Ready(verdict) => MaybePending::Ready(self.outcome(verdict, is_head)),
            MaybePending::Pending(verdict) => {
                let this = Authentication::<(), G> {
                    auth: self.auth.clone(),
                    passes_preflight: self.passes_preflight,
                    is_public: None,
                    hook: self.hook.clone(),
                    challenge: self.challenge.clone(),
                    removal: self.removal.clone(),
                };
                MaybePending::Pending(Box::pin(async move { this.outcome(verdict.await, is_head) }))
            }
        }
    }

    fn verdict(&self, request: &dyn RequestView, target: &T) -> MaybePending<Verdict<G>> {
        let Some(is_public) = &self.is_public else { return self.auth.authenticate(request) };
        match call_to_decide(|| is_public(target)) {
            Ok(false) => self.auth.authenticate(request),
            Ok(true) => {
                let mut verdict = self.auth.authenticate_now(request).for_public_route();
                if verdict.result.is_err() {
                    // The verdict of a request that may wait could be another one.
                    verdict.cookie = None;
                }
                MaybePending::Ready(verdict)
            }
            Err(panic) => {
                let mut verdict = self.auth.authenticate_now(request);
                verdict.result = Err(panic);
                verdict.admits_anonymous = false;
                MaybePending::Ready(verdict)
            }
        }
    }

    fn outcome(&self, mut verdict: Verdict<G>, is_head: bool) -> Outcome {
        self.hook.call(&mut verdict);
        let hidden = mem::take(&mut verdict.hidden);
        let removal = self.removal.as_ref();
        let removal = removal.filter(|removal| verdict.is_of_invalid_cookie(removal.name()));
        let settings = || self.auth.challenge_settings();
        let result = match (removal, verdict.result) {
            (Some(_), Err(error)) if verdict.admits_none => {
                Ok(Anonymous::without_cookie(settings(), error).into())
            }
            (_, result) => Verdict { result, ..verdict }.into_context(settings),
        };
        let result = result.map(Some).map_err(|error| {
            let rejection = Rejection::new(error, self.auth.challenge_settings());
            let rejection = rejection.for_head(is_head).with_cache_control(cache_control(&hidden));
            Box::new(rejection.map_challenge(&self.challenge))
        });
        Outcome { result, hidden, set_cookies: removal.cloned() }
    }
}

impl<T, G> Clone for Authentication<T, G> {
    fn clone(&self) -> Self {
        Self {
            auth: self.auth.clone(),
            passes_preflight: self.passes_preflight,
            is_public: self.is_public.clone(),
            hook: self.hook.clone(),
            challenge: self.challenge.clone(),
            removal: self.removal.clone(),
        }
    }
}

impl<T, G> fmt::Debug for Authentication<T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication")
            .field("auth", &self.auth)
            .field("passes_preflight", &self.passes_preflight)
            .field("has_public_targets", &self.is_public.is_some())
            .field("hook", &self.hook)
            .field("challenge", &self.challenge)
            .field("removal", &self.removal)
            .finish()
    }
}
