//! Functions of an application that decide about a request or change its answer.
//!
//! Their panics end nothing but the request: it is rejected, as nobody knows what they would have said.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{AuthError, AuthErrorKind, Challenge, Grant, Verdict};

/// Calls a function of the application; `None` if it panics.
#[inline]
pub(crate) fn caught<T>(function: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(function)).ok()
}

/// What a request is rejected with where a function of the application panics.
#[cold]
pub(crate) fn panicked() -> AuthError {
    AuthError::because(AuthErrorKind::InternalError, "a function of the application panicked")
}

/// Calls a function of the application that helps to decide whether to accept a request.
///
/// # Errors
///
/// If the function panics, the [internal error](AuthErrorKind::InternalError) to reject the request with.
/// The rejection logs it.
pub(crate) fn call_to_decide<T>(function: impl FnOnce() -> T) -> Result<T, AuthError> {
    caught(function).ok_or_else(panicked)
}

/// Calls a function of the application that makes a part of an answer to a request which is rejected
/// already.
///
/// # Errors
///
/// Where it panics: the [internal error](AuthErrorKind::InternalError) to answer with in its place. The log
/// has been told of it; the request counts as rejected once, for its own reason.
pub fn call_for_answer<T>(function: impl FnOnce() -> T) -> Result<T, AuthError> {
    call_to_decide(function).inspect_err(AuthError::report_fault)
}

/// Changes the challenge of a rejection, for services that must answer as another system does.
/// Default: nothing is changed.
///
/// # Examples
///
/// ```
/// use portcullis::{AuthError, AuthErrorKind, adapter::{Challenge, ChallengeMap}};
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

    /// Changes a challenge that was made from this error. Where the function panics the answer is that
    /// of an [internal error](AuthErrorKind::InternalError), and the log says so.
    #[must_use]
    pub fn apply(&self, challenge: Challenge, error: &AuthError) -> Challenge {
        let Some(function) = &self.function else { return challenge };
        call_for_answer(|| function(challenge, error))
            .unwrap_or_else(|fault| Challenge::from(&fault))
    }
}

impl fmt::Debug for ChallengeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeMap").field("is_set", &self.function.is_some()).finish()
    }
}

/// Is called once for each request that a layer judges, whatever the verdict. Default: nothing is.
pub(crate) struct VerdictHook<G = Grant> {
    function: Option<Arc<HookFunction<G>>>,
}

type HookFunction<G> = dyn Fn(&Verdict<G>) + Send + Sync;

impl<G> VerdictHook<G> {
    pub(crate) fn new(function: impl Fn(&Verdict<G>) + Send + Sync + 'static) -> Self {
        Self { function: Some(Arc::new(function)) }
    }

    /// Calls the function. Where it panics the verdict becomes an
    /// [internal error](AuthErrorKind::InternalError): what was to be seen is not let through unseen.
    #[inline]
    pub(crate) fn call(&self, verdict: &mut Verdict<G>) {
        let Some(function) = &self.function else { return };
        if caught(|| function(verdict)).is_none() {
            verdict.result = Err(panicked());
            verdict.admits_anonymous = false;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Grant, HiddenTokens};

    #[test]
    fn nothing_is_let_through_where_the_function_that_looks_on_panics() {
        let hook = VerdictHook::<Grant>::new(|_| panic!("in a hook"));
        let result = Err(AuthErrorKind::NoCredentials.into());
        let hidden = HiddenTokens::default();
        let mut verdict =
            Verdict { result, hidden, admits_anonymous: true, cookie: None, admits_none: false };
        hook.call(&mut verdict);
        assert_eq!(verdict.result.unwrap_err().kind(), AuthErrorKind::InternalError);
        assert!(!verdict.admits_anonymous);
    }

    #[cfg(feature = "tracing")]
    #[test]
    fn a_part_of_an_answer_that_cannot_be_made_is_told_to_the_log_and_counts_as_no_rejection() {
        use tracing::Level;
        let run = || {
            let fault = call_for_answer(|| -> u8 { panic!("in a hook") }).unwrap_err();
            assert_eq!(fault.kind(), AuthErrorKind::InternalError);
        };
        let told = crate::test_log::told("portcullis", Level::ERROR, run);
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("cause=a function of the application panicked"), "{told:?}");
        assert!(crate::test_log::told("portcullis::rejection", Level::DEBUG, run).is_empty());
        assert_eq!(call_for_answer(|| 1).ok(), Some(1));
    }

    #[test]
    fn a_challenge_that_cannot_be_changed_is_that_of_a_fault() {
        let map = ChallengeMap::new(|_, _| panic!("in a map"));
        let error = AuthError::from(AuthErrorKind::TokenExpired);
        let challenge = map.apply(Challenge::from(&error), &error);
        assert_eq!((challenge.status(), challenge.code()), (500, "internal_error"));
        assert_eq!(challenge.www_authenticate(), None);
    }
}
