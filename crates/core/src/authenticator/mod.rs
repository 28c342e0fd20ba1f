//! The engine: from a request to who calls and what they may do.

mod authenticate;
mod builder;
mod deferred_use;
mod derived;
#[cfg(feature = "explain")]
mod explain;
mod first_use;
mod judge;
mod measuring;
mod not_ready;
mod one_time;
mod pending;
mod production;
mod readiness;
mod reloadable;
mod revocation_readiness;
mod revoke;
mod verdict;

use std::{fmt, sync::Arc};

pub use builder::AuthenticatorBuilder;
pub use deferred_use::DeferredUse;
pub use not_ready::NotReady;
pub use readiness::KeyChanges;
pub use reloadable::ReloadableAuthenticator;
pub use verdict::Verdict;

use crate::{
    Admission, ConfigError, Grant, Requirement, ResourceMetadata, TokenLocation,
    challenge::ChallengeSettings,
    engine::{AnonymousLimit, Engine},
    strategy::names,
};
use reloadable::Current;

/// Judges requests: takes the token out, proves it, and tells who calls and what they may do.
///
/// It is built once and shared: cloning copies a pointer, and nothing is locked when it is used.
/// `G` is the type of the grant; see [`AuthenticatorBuilder::with_grant`].
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, JwkSet};
///
/// # let json = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://idp.example.com").jwk_set(&JwkSet::from_json(json)?))
///     .audience("https://api.example.com")
///     .build()?;
/// let rejected = auth.authenticate_token_now("no token").unwrap_err();
/// assert_eq!(rejected.kind().code(), "malformed_request");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Authenticator<G = Grant> {
    source: Source<G>,
    route: Route,
}

/// Where a handle has its engine from.
enum Source<G> {
    /// It is always the same: what most requests look at.
    Fixed(Arc<Engine<G>>),
    /// It may be replaced.
    Current(Arc<Current<G>>),
}

/// What a route asks for.
#[derive(Clone, Debug, Default)]
struct Route {
    /// `None`: those of the engine.
    locations: Option<Arc<[TokenLocation]>>,
    requirement: Option<Arc<Requirement>>,
    admission: Admission,
    /// Whether a token that may be used once is used later than it is authenticated.
    defers_use: bool,
}

impl Authenticator {
    /// Starts a configuration. The grant is a [`Grant`], unless the builder is told otherwise.
    pub fn builder() -> AuthenticatorBuilder {
        AuthenticatorBuilder::new()
    }
}

impl<G> Authenticator<G> {
    /// Returns the engine of this moment.
    pub(crate) fn engine(&self) -> Arc<Engine<G>> {
        match &self.source {
            Source::Fixed(engine) => Arc::clone(engine),
            Source::Current(current) => current.load_full(),
        }
    }

    /// Does something with the engine of this moment.
    #[inline]
    fn with_engine<T>(&self, run: impl FnOnce(&Arc<Engine<G>>) -> T) -> T {
        match &self.source {
            Source::Fixed(engine) => run(engine),
            Source::Current(current) => run(&current.load()),
        }
    }
}

impl<G: Send + Sync + 'static> Authenticator<G> {
    fn new(engine: Engine<G>) -> Self {
        Self { source: Source::Fixed(Arc::new(engine)), route: Route::default() }
    }

    /// Returns the same engine with a [requirement] of a route: whose tokens it asks for. Default: one
    /// good token of any trusted issuer. On a handle that has one, both hold: a route can ask for more
    /// than another, never for less.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] if the requirement names an issuer that is not trusted, is empty, or is met
    /// without any token where the engine is for [production](AuthenticatorBuilder::production).
    ///
    /// [requirement]: Requirement
    pub fn with_requirement(self, requirement: Requirement) -> Result<Self, ConfigError> {
        let requirement = Arc::new(match &self.route.requirement {
            Some(outer) => requirement.on_top_of(Requirement::clone(outer)),
            None => requirement,
        });
        self.engine().check_requirement(&requirement)?;
        if let Source::Current(current) = &self.source {
            current.remember(&requirement);
        }
        let route = Route { requirement: Some(requirement), ..self.route };
        Ok(Self { route, ..self })
    }

    /// Returns the same engine for a route that reads tokens from other places: all of them, in the place
    /// of [those of the engine](AuthenticatorBuilder::locations). For a service that speaks two protocols
    /// whose clients write tokens differently, by one set of keys.
    ///
    /// ```
    /// use portcullis::{Authenticator, TokenLocation};
    ///
    /// # fn two(auth: Authenticator) -> Result<(), portcullis::ConfigError> {
    /// let for_pages = auth.clone().with_locations([TokenLocation::bearer(), TokenLocation::cookie("session")])?;
    /// let for_services = auth.with_locations([TokenLocation::header("authorization").exact_scheme("Bearer")])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] as [`build`](AuthenticatorBuilder::build) has it: for places of which there is
    /// none, or that cannot be, and for one that is bound to an issuer who is not trusted.
    pub fn with_locations<I: IntoIterator<Item = TokenLocation>>(
        self,
        locations: I,
    ) -> Result<Self, ConfigError> {
        let locations: Arc<[TokenLocation]> = locations.into_iter().collect();
        self.engine().check_locations(&locations)?;
        let route = Route { locations: Some(locations), ..self.route };
        Ok(Self { route, ..self })
    }

    /// Returns whether tokens are read from the cookie of this name.
    #[must_use]
    pub fn reads_cookie(&self, name: &str) -> bool {
        let engine = self.engine();
        self.route.locations(&engine).iter().any(|location| location.is_cookie(name))
    }

    /// Returns the names of the strategies, in the order in which they are asked. Issuers of JWTs are not
    /// among them.
    #[must_use]
    pub fn strategies(&self) -> Vec<String> {
        names(&self.engine().strategies).map(ToOwned::to_owned).collect()
    }

    /// Returns the names of the trusted issuers.
    #[must_use]
    pub fn issuers(&self) -> Vec<String> {
        self.engine().issuers.all().map(|issuer| issuer.name().to_owned()).collect()
    }

    /// Returns the same engine for a route that lets requests through without a caller. An engine for
    /// [production](AuthenticatorBuilder::production) that does not allow this rejects them all the
    /// same, and the log says so at once; [`try_with_admission`](Self::try_with_admission) makes an error of it.
    #[must_use]
    pub fn with_admission(self, admission: Admission) -> Self {
        #[cfg(feature = "tracing")]
        if let Err(error) = self.engine().anonymous.check(admission) {
            tracing::error!(target: "portcullis", "credentials are required all the same: {error}");
        }
        self.with_route_admission(admission)
    }

    /// Returns the same engine for a route that lets requests through without a caller.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Production`] if the engine does not allow that.
    pub fn try_with_admission(self, admission: Admission) -> Result<Self, ConfigError> {
        self.engine().anonymous.check(admission)?;
        Ok(self.with_route_admission(admission))
    }

    fn with_route_admission(self, admission: Admission) -> Self {
        Self { route: Route { admission, ..self.route }, ..self }
    }

    /// Tells whether the engine is for [production](AuthenticatorBuilder::production).
    #[must_use]
    pub fn is_for_production(&self) -> bool {
        self.engine().anonymous != AnonymousLimit::Any
    }

    /// Returns the realm and the metadata URL that challenges name.
    #[must_use]
    pub fn challenge_settings(&self) -> Arc<ChallengeSettings> {
        self.with_engine(|engine| Arc::clone(&engine.challenge))
    }

    /// Returns what the service publishes of itself ([RFC 9728]): `None` unless it has a
    /// [name](AuthenticatorBuilder::resource).
    ///
    /// [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728
    #[must_use]
    pub fn resource_metadata(&self) -> Option<Arc<ResourceMetadata>> {
        self.with_engine(|engine| engine.resource_metadata.clone())
    }
}

impl<G> Clone for Authenticator<G> {
    fn clone(&self) -> Self {
        let source = match &self.source {
            Source::Fixed(engine) => Source::Fixed(Arc::clone(engine)),
            Source::Current(current) => Source::Current(Arc::clone(current)),
        };
        Self { source, route: self.route.clone() }
    }
}

impl<G> fmt::Debug for Authenticator<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = self.engine();
        f.debug_struct("Authenticator")
            .field("issuers", &engine.issuers)
            .field("locations", &self.route.locations.as_deref().unwrap_or(&engine.locations))
            .field("multiple_tokens", &engine.multiple_tokens)
            .field("requirement", &self.route.requirement)
            .field("admission", &self.route.admission)
            .finish_non_exhaustive()
    }
}
