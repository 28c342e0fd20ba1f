//! What handlers read from the context that the middlewares leave in the extensions of a request.

use std::{ops::Deref, sync::Arc};

use actix_web::{dev::Extensions, http::Method};
use portcullis::{AuthContext, AuthError, Authenticated, NoCaller, Principal};

use crate::Rejection;

/// The caller of a request that a [`JwtAuth`](crate::JwtAuth) let through with credentials.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Caller(pub Principal);

impl Caller {
    /// Makes the rejection with which code behind the middlewares, such as a handler that knows only then
    /// what is needed, answers this caller; and [reports](AuthError::report) it.
    #[must_use]
    pub fn reject(&self, error: AuthError) -> Rejection {
        error.report();
        Rejection::new(error, Arc::clone(self.challenge_settings()), &Method::GET)
    }

    pub(crate) fn read(extensions: &Extensions) -> Result<Self, NoCaller> {
        AuthContext::required_caller(extensions.get()).cloned().map(Self)
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

impl<G: Send + Sync + 'static> Granted<G> {
    pub(crate) fn read(extensions: &Extensions) -> Result<Self, NoCaller> {
        AuthContext::required_grant(extensions.get()).map(|(_, grant)| Self(grant))
    }
}

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
/// ([`Requirement::all`](portcullis::Requirement::all)); empty where it brings one.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct OtherCallers<G = portcullis::Grant>(pub Vec<Authenticated<G>>);

impl<G: Send + Sync + 'static> OtherCallers<G> {
    pub(crate) fn read(extensions: &Extensions) -> Result<Self, NoCaller> {
        let context = extensions.get::<AuthContext>();
        AuthContext::required_grant::<G>(context)?;
        let others = context.map(AuthContext::other_callers).unwrap_or_default();
        Ok(Self(others.to_vec()))
    }
}

impl<G> Clone for OtherCallers<G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
