//! What handlers and policies read from the context that the layers leave in the extensions of a request.

use std::{ops::Deref, sync::Arc};

use http::Extensions;
use portcullis::{AuthContext, AuthError, Grant, Principal, Rejection, adapter::Authenticated};

/// The caller of a request that a [`JwtAuthLayer`](crate::JwtAuthLayer) let through with credentials.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Caller(pub Principal);

impl Caller {
    /// Finds the caller in the [context](AuthContext) in the extensions of a request.
    ///
    /// # Errors
    ///
    /// The rejection to answer with: the caller is [`Anonymous`](crate::Anonymous), or no layer has
    /// authenticated the request.
    pub fn find(extensions: &Extensions) -> Result<Self, Box<Rejection>> {
        AuthContext::required_caller(extensions.get()).cloned().map(Self)
    }

    /// Finds the caller in the extensions of a request; `None` if a layer has let the request through
    /// because it came without credentials.
    ///
    /// # Errors
    ///
    /// The rejection to answer with: the credentials were invalid, or no layer has authenticated the
    /// request.
    pub fn find_optional(extensions: &Extensions) -> Result<Option<Self>, Box<Rejection>> {
        let caller = AuthContext::optional(extensions.get(), AuthContext::required_caller)?;
        Ok(caller.cloned().map(Self))
    }

    /// Makes and [reports](Rejection::report) the rejection with which code behind the layers answers
    /// this caller, such as a handler that learns only then what the request needs.
    #[must_use]
    pub fn reject(&self, error: AuthError) -> Rejection {
        let rejection = Rejection::new(error, Arc::clone(self.challenge_settings()));
        rejection.report();
        rejection
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
pub struct Granted<G = Grant>(pub Arc<G>);

impl<G: Send + Sync + 'static> Granted<G> {
    /// Finds what the caller may do in the extensions of a request.
    ///
    /// # Errors
    ///
    /// The rejection to answer with, as for [`Caller::find`]; and if the layer makes grants of another
    /// type.
    pub fn find(extensions: &Extensions) -> Result<Self, Box<Rejection>> {
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
pub struct OtherCallers<G = Grant>(pub Vec<Authenticated<G>>);

impl<G: Send + Sync + 'static> OtherCallers<G> {
    /// Finds the callers of the other tokens in the extensions of a request.
    ///
    /// # Errors
    ///
    /// The rejection to answer with, as for [`Granted::find`].
    pub fn find(extensions: &Extensions) -> Result<Self, Box<Rejection>> {
        AuthContext::required_others(extensions.get()).map(Self)
    }
}

impl<G> Clone for OtherCallers<G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
