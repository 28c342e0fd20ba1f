//! Functions of an application that adapters call, as values that every adapter can hold.

use std::{fmt, sync::Arc};

use crate::{AuthError, Challenge, Grant, Verdict};

/// Changes what refused callers are told, for services that must answer as another system does.
/// Default: nothing is changed.
///
/// # Examples
///
/// ```
/// use portcullis::{AuthError, AuthErrorKind, Challenge, ChallengeMap};
///
/// // Answers 403 to a bad token, and says nothing of why.
/// let map = ChallengeMap::new(|challenge, error| match error.kind() {
///     AuthErrorKind::NoCredentials => challenge,
///     _ => challenge.with_status(403).without_www_authenticate(),
/// });
///
/// let error = AuthError::from(AuthErrorKind::TokenExpired);
/// let challenge = map.apply(Challenge::from(&error), &error);
/// assert_eq!((challenge.status(), challenge.www_authenticate()), (403, None));
/// ```
#[derive(Clone, Default)]
pub struct ChallengeMap {
    function: Option<Arc<MapFunction>>,
}

type MapFunction = dyn Fn(Challenge, &AuthError) -> Challenge + Send + Sync;

impl ChallengeMap {
    /// Takes the function.
    #[must_use]
    pub fn new(
        function: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { function: Some(Arc::new(function)) }
    }

    /// Changes a challenge that was made from this error.
    #[must_use]
    pub fn apply(&self, challenge: Challenge, error: &AuthError) -> Challenge {
        match &self.function {
            Some(function) => function(challenge, error),
            None => challenge,
        }
    }
}

impl fmt::Debug for ChallengeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeMap").field("is_set", &self.function.is_some()).finish()
    }
}

/// Is called once for each request that a layer judges, whatever the verdict. Default: nothing is.
pub struct VerdictHook<G = Grant> {
    function: Option<Arc<HookFunction<G>>>,
}

type HookFunction<G> = dyn Fn(&Verdict<G>) + Send + Sync;

impl<G> VerdictHook<G> {
    /// Takes the function. It runs on the way of the request: it must be quick.
    #[must_use]
    pub fn new(function: impl Fn(&Verdict<G>) + Send + Sync + 'static) -> Self {
        Self { function: Some(Arc::new(function)) }
    }

    /// Calls the function.
    pub fn call(&self, verdict: &Verdict<G>) {
        if let Some(function) = &self.function {
            function(verdict);
        }
    }
}

impl<G> Default for VerdictHook<G> {
    fn default() -> Self {
        Self { function: None }
    }
}

impl<G> Clone for VerdictHook<G> {
    fn clone(&self) -> Self {
        Self { function: self.function.clone() }
    }
}

impl<G> fmt::Debug for VerdictHook<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerdictHook").field("is_set", &self.function.is_some()).finish()
    }
}
