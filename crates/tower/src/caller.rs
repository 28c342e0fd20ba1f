//! What the layers leave in the extensions of a request.

use std::{ops::Deref, sync::Arc};

use http::Extensions;
use portcullis::{
    AuthError, AuthErrorKind, Authenticated, ChallengeSettings, LayerError, Principal,
};

/// Who calls. It is in the extensions of every request that a [`JwtAuthLayer`](crate::JwtAuthLayer)
/// has let through with credentials.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Caller(pub Principal);

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

/// The request came without credentials, and an [optional](crate::JwtAuthLayer::optional) layer has
/// let it through.
#[derive(Clone, Debug)]
pub struct Anonymous {
    settings: Arc<ChallengeSettings>,
}

impl Anonymous {
    pub(crate) fn new(settings: Arc<ChallengeSettings>) -> Self {
        Self { settings }
    }

    /// Returns what a challenge to this caller names.
    #[must_use]
    pub fn challenge_settings(&self) -> &Arc<ChallengeSettings> {
        &self.settings
    }
}

/// Why there is no caller in a request.
pub(crate) enum NoCaller {
    /// A refusal: the caller should present credentials.
    Refused(AuthError, Arc<ChallengeSettings>),
    /// A fault of the application.
    Layer(LayerError),
}

/// A CORS preflight that a layer has passed unjudged: policies let it through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassedPreflight;

/// Leaves a caller in the extensions, in place of whatever a layer around has left.
pub(crate) fn insert<G: Send + Sync + 'static>(
    extensions: &mut Extensions,
    caller: Authenticated<G>,
) {
    let (principal, grant) = caller.into_parts();
    extensions.remove::<Anonymous>();
    extensions.insert(Caller(principal));
    extensions.insert(Granted(grant));
}

/// Leaves word that there is no caller. One that a layer around has left was judged by other rules,
/// and is taken away.
pub(crate) fn insert_anonymous<G: Send + Sync + 'static>(
    extensions: &mut Extensions,
    anonymous: Anonymous,
) {
    extensions.remove::<Caller>();
    extensions.remove::<Granted<G>>();
    extensions.insert(anonymous);
}

/// Finds the caller in the extensions.
pub(crate) fn caller(extensions: &Extensions) -> Result<&Caller, NoCaller> {
    match (extensions.get::<Anonymous>(), extensions.get::<Caller>()) {
        (Some(anonymous), _) => {
            let settings = Arc::clone(&anonymous.settings);
            Err(NoCaller::Refused(AuthErrorKind::NoCredentials.into(), settings))
        }
        (None, Some(caller)) => Ok(caller),
        (None, None) => Err(NoCaller::Layer(LayerError::Missing)),
    }
}

/// Finds the caller and the grant in the extensions.
pub(crate) fn caller_and_grant<G: Send + Sync + 'static>(
    extensions: &Extensions,
) -> Result<(&Caller, &Granted<G>), NoCaller> {
    let caller = caller(extensions)?;
    // A grant that a layer around has left belongs to another caller: it must be of the type that
    // this caller's engine makes.
    match extensions.get::<Granted<G>>() {
        Some(grant) if caller.is_grant_type::<G>() => Ok((caller, grant)),
        _ => {
            let (wanted, made) = (std::any::type_name::<G>(), caller.grant_type_name());
            Err(NoCaller::Layer(LayerError::OtherGrant { wanted, made }))
        }
    }
}
