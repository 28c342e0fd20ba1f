//! What the middlewares leave in the extensions of a request.

use std::{ops::Deref, sync::Arc};

use actix_web::{dev::Extensions, http::Method};
use portcullis::{Anonymous, AuthError, Authenticated, NoCaller, Principal};

use crate::Refusal;

/// Who calls. It is in the extensions of every request that a [`JwtAuth`](crate::JwtAuth) has let
/// through with credentials.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Caller(pub Principal);

impl Caller {
    /// Makes the refusal with which code behind the middlewares, such as a handler that knows only then
    /// what is needed, answers this caller; and [reports](AuthError::report) it.
    #[must_use]
    pub fn refuse(&self, error: AuthError) -> Refusal {
        error.report();
        Refusal::new(error, Arc::clone(self.challenge_settings()), &Method::GET)
    }
}

impl Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

/// What the caller may do. `G` is the type of grant that the engine makes; it is made once for each
/// token, and shared.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Granted<G = portcullis::Grant>(pub Arc<G>);

impl<G> Clone for Granted<G> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<G> Deref for Granted<G> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.0
    }
}

/// The callers of the other tokens, where a request may bring several
/// ([`Requirement::all`](portcullis::Requirement::all)). It is in the extensions if there are any.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct OtherCallers<G = portcullis::Grant>(pub Vec<Authenticated<G>>);

impl<G> Clone for OtherCallers<G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A CORS preflight that a middleware has passed unjudged: policies let it through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassedPreflight;

/// Leaves a caller in the extensions, in place of whatever a middleware around has left.
pub(crate) fn insert<G: Send + Sync + 'static>(
    extensions: &mut Extensions,
    caller: Authenticated<G>,
) {
    extensions.remove::<Anonymous>();
    extensions.remove::<PassedPreflight>();
    extensions.remove::<OtherCallers<G>>();
    if !caller.others().is_empty() {
        extensions.insert(OtherCallers(caller.others().to_vec()));
    }
    let (principal, grant) = caller.into_parts();
    extensions.insert(Caller(principal));
    extensions.insert(Granted(grant));
}

/// Leaves word that there is no caller. One that a middleware around has left was judged by other
/// rules, and is taken away.
pub(crate) fn insert_anonymous<G: Send + Sync + 'static>(
    extensions: &mut Extensions,
    anonymous: Anonymous,
) {
    extensions.remove::<Caller>();
    extensions.remove::<Granted<G>>();
    extensions.remove::<OtherCallers<G>>();
    extensions.remove::<PassedPreflight>();
    extensions.insert(anonymous);
}

/// Tells whether a middleware has let the request through because it brings no credentials. Bad ones
/// are not none.
pub(crate) fn is_without_credentials(extensions: &Extensions) -> bool {
    extensions.get::<Anonymous>().is_some_and(|anonymous| anonymous.failure().is_none())
}

/// Finds the caller in the extensions.
pub(crate) fn caller(extensions: &Extensions) -> Result<&Caller, NoCaller> {
    match (extensions.get::<Anonymous>(), extensions.get::<Caller>()) {
        (None, Some(caller)) => Ok(caller),
        (anonymous, _) => Err(NoCaller::because(anonymous)),
    }
}

/// Finds the caller and the grant in the extensions.
pub(crate) fn caller_and_grant<G: Send + Sync + 'static>(
    extensions: &Extensions,
) -> Result<(&Caller, &Granted<G>), NoCaller> {
    let caller = caller(extensions)?;
    // A grant that a middleware around has left belongs to another caller: it must be of the type
    // that this caller's engine makes.
    match extensions.get::<Granted<G>>() {
        Some(grant) if caller.is_grant_type::<G>() => Ok((caller, grant)),
        _ => Err(NoCaller::of_other_grant::<G>(caller)),
    }
}
