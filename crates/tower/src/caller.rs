//! What handlers and policies read from the context that the layers leave in the extensions of a request.

use std::{ops::Deref, sync::Arc};

use http::{Extensions, Method};
use portcullis::{AuthContext, AuthError, Authenticated, NoCaller, Principal};

use crate::Rejection;

/// The caller of a request that a [`JwtAuthLayer`](crate::JwtAuthLayer) let through with credentials.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Caller(pub Principal);

impl Caller {
    /// Finds the caller in the [context](AuthContext) in the extensions of a request.
    ///
    /// # Errors
    ///
    /// The rejection to answer with: the caller is [`Anonymous`](crate::Anonymous), or no layer has judged the
    /// request.
    pub fn find(extensions: &Extensions) -> Result<Self, Box<Rejection>> {
        Self::read(extensions).map_err(reject)
    }

    /// Finds the caller in the extensions of a request; `None` if a layer has let the request through
    /// because it came without credentials.
    ///
    /// # Errors
    ///
    /// The rejection to answer with: the credentials were bad, or no layer has judged the request.
    pub fn find_optional(extensions: &Extensions) -> Result<Option<Self>, Box<Rejection>> {
        if is_without_credentials(extensions) {
            return Ok(None);
        }
        Self::find(extensions).map(Some)
    }

    pub(crate) fn read(extensions: &Extensions) -> Result<Self, NoCaller> {
        AuthContext::required_caller(extensions.get()).cloned().map(Self)
    }

    /// Makes the rejection with which code behind the layers, such as a handler that knows only then what
    /// is needed, answers this caller; and [reports](AuthError::report) it.
    #[must_use]
    pub fn reject(&self, error: AuthError) -> Rejection {
        Rejection::from_error(error, Arc::clone(self.challenge_settings()))
    }
}

fn reject(reason: NoCaller) -> Box<Rejection> {
    Box::new(Rejection::no_caller(reason, &Method::GET))
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
    /// Finds what the caller may do in the extensions of a request.
    ///
    /// # Errors
    ///
    /// The rejection to answer with, as for [`Caller::find`]; and if the layer makes grants of another
    /// type.
    pub fn find(extensions: &Extensions) -> Result<Self, Box<Rejection>> {
        Self::read(extensions).map_err(reject)
    }

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
    /// Finds the callers of the other tokens in the extensions of a request.
    ///
    /// # Errors
    ///
    /// The rejection to answer with, as for [`Granted::find`].
    pub fn find(extensions: &Extensions) -> Result<Self, Box<Rejection>> {
        Self::read(extensions).map_err(reject)
    }

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

/// Returns whether a layer let the request through because it came without credentials.
pub(crate) fn is_without_credentials(extensions: &Extensions) -> bool {
    extensions.get().is_some_and(AuthContext::is_without_credentials)
}
