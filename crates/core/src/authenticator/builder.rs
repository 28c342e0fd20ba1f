//! The configuration of an [`Authenticator`].

use std::{any::TypeId, fmt, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;

use super::{Authenticator, production};
use crate::{
    AuthError, Clock, ConfigError, Grant, Issuer, IssuerError, MultipleTokens, Principal,
    ProtectedResource, ResolverConfig, ResourceMetadata, Strategy, SystemClock, TokenLocation,
    challenge::ChallengeSettings,
    engine::{AnonymousLimit, Engine},
    grant_source::{GrantSource, PrincipalMapping},
    issuer::{EngineInfo, TrustedIssuers},
    jws::KnownHeaders,
    pipeline::{CrossSiteRules, OriginError, hide::Hide},
    revocation::{OneTimeUse, ReplayStore, Revocations, TIMEOUT},
    strategy::{Registered, Slot},
};

/// The longest token, in bytes, unless configured otherwise. Real access tokens stay below 4 KiB;
/// servers limit a header field to about this.
const MAX_TOKEN_LEN: usize = 16 * 1024;

/// How long a strategy may take, unless configured otherwise: as long as a look-up of rights.
const STRATEGY_TIMEOUT: Duration = Duration::from_secs(2);

/// Builds an [`Authenticator`].
#[derive(Debug)]
#[must_use]
pub struct AuthenticatorBuilder<G = Grant> {
    settings: Settings,
    grant: GrantSource<G>,
}

/// All settings but the one that the type of the grant depends on.
#[derive(Debug)]
struct Settings {
    issuers: Vec<Issuer>,
    strategies: Vec<Arc<dyn Strategy>>,
    /// How many strategies stand in front of the issuers of JWTs.
    before_issuers: Option<usize>,
    strategy_timeout: Duration,
    audiences: Vec<String>,
    locations: Vec<TokenLocation>,
    multiple_tokens: MultipleTokens,
    allowed_origins: Vec<String>,
    public_origin: Option<String>,
    without_origin_check: bool,
    hide: Hide,
    max_token_len: usize,
    clock: Arc<dyn Clock>,
    challenge: ChallengeSettings,
    resource: Option<ProtectedResource>,
    production: bool,
    optional_credentials: bool,
    any_issuer_in_production: bool,
    revocations: Option<Revocations>,
    replay_store: Option<Arc<dyn ReplayStore>>,
    is_inner: bool,
    map_error: Option<MapError>,
}

/// Changes an error of the builder.
#[derive(Clone)]
struct MapError(Arc<MapErrorFn>);

type MapErrorFn =
    dyn Fn(ConfigError, &dyn Fn() -> AuthenticatorBuilder) -> ConfigError + Send + Sync;

impl fmt::Debug for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapError")
    }
}

impl AuthenticatorBuilder {
    pub(super) fn new() -> Self {
        let settings = Settings {
            issuers: Vec::new(),
            strategies: Vec::new(),
            before_issuers: None,
            strategy_timeout: STRATEGY_TIMEOUT,
            audiences: Vec::new(),
            locations: vec![TokenLocation::bearer()],
            multiple_tokens: MultipleTokens::default(),
            allowed_origins: Vec::new(),
            public_origin: None,
            without_origin_check: false,
            hide: Hide::Necessary,
            max_token_len: MAX_TOKEN_LEN,
            clock: Arc::new(SystemClock),
            challenge: ChallengeSettings::default(),
            resource: None,
            production: false,
            optional_credentials: false,
            any_issuer_in_production: false,
            revocations: None,
            replay_store: None,
            is_inner: false,
            map_error: None,
        };
        Self { settings, grant: GrantSource::DEFAULT }
    }

    /// Changes the error of [`build`](Self::build): for a crate that reads settings from elsewhere, so that
    /// the error names what its reader wrote. The function gets the error, and what starts another builder
    /// with the same audiences and rules for production, to find further mistakes with.
    #[doc(hidden)]
    pub fn map_error(
        mut self,
        map: impl Fn(ConfigError, &dyn Fn() -> Self) -> ConfigError + Send + Sync + 'static,
    ) -> Self {
        self.settings.map_error = Some(MapError(Arc::new(map)));
        self
    }
}

impl<G: Send + Sync + 'static> AuthenticatorBuilder<G> {
    /// Adds an issuer that is trusted.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.settings.before_issuers.get_or_insert(self.settings.strategies.len());
        self.settings.issuers.push(issuer);
        self
    }

    /// Adds issuers, each as [`issuer`](Self::issuer) does: all of a list, or the one of an `Option`, which
    /// may be none.
    pub fn issuers<I: IntoIterator<Item = Issuer>>(self, issuers: I) -> Self {
        issuers.into_iter().fold(self, Self::issuer)
    }

    /// Adds a [strategy](Strategy) for another kind of credential than JWTs. Strategies are asked in the
    /// order in which they are added; all issuers are one of them, at the place of the first.
    pub fn strategy(mut self, strategy: impl Strategy + 'static) -> Self {
        self.settings.strategies.push(Arc::new(strategy));
        self
    }

    /// Adds strategies of one type, each as [`strategy`](Self::strategy) does: all of a list, or the one of
    /// an `Option`, which may be none.
    ///
    /// ```
    /// use portcullis::{Authenticator, StaticTokens};
    ///
    /// // `None`, unless the variable or the file is set.
    /// let setting = |name| std::env::var(name).ok();
    /// let tokens = StaticTokens::builder("services")
    ///     .text(setting("SERVICE_TOKENS").unwrap_or_default())
    ///     .files(setting("SERVICE_TOKENS_FILE"))
    ///     .build_if_any()?;
    /// let builder = Authenticator::builder().strategies(tokens);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn strategies<I: IntoIterator<Item: Strategy + 'static>>(self, strategies: I) -> Self {
        strategies.into_iter().fold(self, Self::strategy)
    }

    /// The longest time that a strategy may take for a token ([`Attempt::Later`](crate::strategy::Attempt::Later)):
    /// after that the request is rejected as
    /// [`ResolverUnavailable`](crate::AuthErrorKind::ResolverUnavailable), 503. Default: 2 seconds.
    pub fn strategy_timeout(mut self, strategy_timeout: Duration) -> Self {
        self.settings.strategy_timeout = strategy_timeout;
        self
    }

    /// Adds an audience that stands for this service, for issuers that have none of their own.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.audiences.push(audience.into());
        self
    }

    /// The places that a token may be in, in order, such as `[TokenLocation::cookie("session")]`. Default:
    /// [`TokenLocation::bearer`].
    pub fn locations<I: IntoIterator<Item = TokenLocation>>(mut self, locations: I) -> Self {
        self.settings.locations = locations.into_iter().collect();
        self
    }

    /// What happens when a request brings more than one token. Default:
    /// [`MultipleTokens::Reject`].
    pub fn multiple_tokens(mut self, multiple_tokens: MultipleTokens) -> Self {
        self.settings.multiple_tokens = multiple_tokens;
        self
    }

    /// Adds origins of pages that may send requests with a token in a cookie, such as
    /// `https://app.example.com`: for a service whose pages are at another origin. Default: none.
    ///
    /// Browsers attach cookies also to requests that other sites cause. So a request with a token from a cookie
    /// is rejected with [`CrossSiteRequest`](crate::AuthErrorKind::CrossSiteRequest) (403) if its method is
    /// not GET, HEAD or OPTIONS, or if it opens a WebSocket, unless
    ///
    /// 1. its field `Origin` is one of these origins;
    /// 2. or its field `Sec-Fetch-Site` is `same-origin` or `none` ([Fetch Metadata]);
    /// 3. or it has no `Sec-Fetch-Site`, and `Origin` is the [public origin](Self::public_origin) of the service;
    /// 4. or it has neither field, because then no browser sent it.
    ///
    /// [Fetch Metadata]: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    pub fn allowed_origins<I: IntoIterator<Item: Into<String>>>(mut self, origins: I) -> Self {
        self.settings.allowed_origins.extend(origins.into_iter().map(Into::into));
        self
    }

    /// The origin at which browsers reach this service, such as `https://api.example.com`, for the check of
    /// [tokens from cookies](Self::allowed_origins). Default: any scheme, with host and port of the request
    /// target or of its field `Host`. Set it if a proxy changes `Host`.
    pub fn public_origin(mut self, origin: impl Into<String>) -> Self {
        self.settings.public_origin = Some(origin.into());
        self
    }

    /// Accepts tokens from cookies whatever site caused the request.
    ///
    /// # Security
    ///
    /// Any site can then send requests in the name of the user who visits it, unless the service has its own
    /// defence, such as a token in each form.
    pub fn dangerous_without_origin_check(mut self) -> Self {
        self.settings.without_origin_check = true;
        self
    }

    /// Takes tokens out of header fields and cookies too before handlers see the request, so that none
    /// of them logs one or passes it on. Default: out of the query and of WebSocket subprotocols only.
    ///
    /// Trailer fields, which follow the body of a request, are not changed: the engine never reads a token
    /// from them, and it decides before the body is read. A handler in axum, tower or tonic that reads
    /// trailers (in tonic, `Streaming::trailers`) must not log or forward a field such as `authorization`.
    /// actix-web discards trailers.
    pub fn remove_tokens(mut self) -> Self {
        self.settings.hide = Hide::Everything;
        self
    }

    /// The longest token, in bytes. Default: 16 KiB.
    pub fn max_token_len(mut self, max_token_len: usize) -> Self {
        self.settings.max_token_len = max_token_len;
        self
    }

    /// The clock. Default: the [`SystemClock`].
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        self.shared_clock(Arc::new(clock))
    }

    pub(crate) fn shared_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.settings.clock = clock;
        self
    }

    /// The realm that challenges name ([RFC 9110 §11.5]). Default: none.
    ///
    /// [RFC 9110 §11.5]: https://www.rfc-editor.org/rfc/rfc9110#section-11.5
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.settings.challenge.realm = Some(realm.into());
        self
    }

    /// What clients know this service as: the URL that they use, or a [`ProtectedResource`], which
    /// can say more ([RFC 9728 §1.2]). Default: nothing is known.
    ///
    /// 1. It is an [audience](Self::audience), because clients ask for tokens by this name
    ///    ([RFC 8707 §2]). A host as a whole counts with and without a slash at its end.
    /// 2. There are [metadata](Authenticator::resource_metadata) of it, for an adapter to serve.
    /// 3. Challenges name the URL of these, unless they are told
    ///    [another](Self::resource_metadata).
    ///
    /// [RFC 9728 §1.2]: https://www.rfc-editor.org/rfc/rfc9728#section-1.2
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    pub fn resource(mut self, resource: impl Into<ProtectedResource>) -> Self {
        self.settings.resource = Some(resource.into());
        self
    }

    /// The URL of the protected resource metadata that challenges name ([RFC 9728 §5.1]).
    /// Default: that of the [resource](Self::resource), if there is one.
    ///
    /// [RFC 9728 §5.1]: https://www.rfc-editor.org/rfc/rfc9728#section-5.1
    pub fn resource_metadata(mut self, url: impl Into<String>) -> Self {
        self.settings.challenge.resource_metadata = Some(url.into());
        self
    }

    /// The grant is a type of the application, read from the claims.
    ///
    /// A token whose claims are not of this type is rejected with
    /// [`MalformedClaim`](crate::AuthErrorKind::MalformedClaim).
    pub fn with_grant<T>(self) -> AuthenticatorBuilder<T>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.with_grant_from(Principal::claims)
    }

    /// The grant is made by a function, which may reject the caller with any
    /// [kind](crate::AuthErrorKind) of error.
    ///
    /// It runs once for each token, after everything else about the token was found good. Where it panics
    /// the request is rejected as an [internal error](crate::AuthErrorKind::InternalError), 500.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::{AuthErrorKind, Authenticator};
    ///
    /// struct Tenant(u64);
    ///
    /// let builder = Authenticator::builder().with_grant_from(|caller| {
    ///     let tenant = caller.claim("tenant")?.ok_or(AuthErrorKind::MissingClaim)?;
    ///     Ok(Tenant(tenant))
    /// });
    /// ```
    pub fn with_grant_from<T: Send + Sync + 'static>(
        self,
        function: impl Fn(&Principal) -> Result<T, AuthError> + Send + Sync + 'static,
    ) -> AuthenticatorBuilder<T> {
        self.with_grant_source(GrantSource::Principal(PrincipalMapping::new(function)))
    }

    /// The grant is looked up by the application, for each request: in a database, or at another
    /// service. See [`ResolverConfig`].
    pub fn with_resolver<T: Send + Sync + 'static>(
        self,
        resolving: ResolverConfig<T>,
    ) -> AuthenticatorBuilder<T> {
        self.with_grant_source(GrantSource::GrantResolver(Box::new(resolving)))
    }

    fn with_grant_source<T>(self, grant: GrantSource<T>) -> AuthenticatorBuilder<T> {
        AuthenticatorBuilder { settings: self.settings, grant }
    }

    /// Refuses to build with settings that are for trying out, each with an error of its own:
    ///
    /// 1. [`Issuer::dangerous_any`], unless
    ///    [`dangerous_any_issuer_in_production`](Self::dangerous_any_issuer_in_production) allows it, and
    ///    [`Issuer::dangerous_any_audience`];
    /// 2. keys over plain http, except from this machine, which is warned of;
    /// 3. secrets that are shorter than the hash, and [static tokens](crate::StaticTokens) of fewer than 16
    ///    bytes;
    /// 4. `RefreshPolicy::dangerous_unlimited_staleness`;
    /// 5. requests without a caller, unless [`optional_credentials`](Self::optional_credentials) allows
    ///    those without credentials. A layer that lets others through all the same is overruled, and
    ///    the log says so.
    ///
    /// Routes that are declared public, such as that of a health check, stay public.
    ///
    /// The issuers of [`Tenants`](crate::strategy::Tenants) are not known yet. An issuer that this would reject is
    /// not trusted when a token names it ([`UntrustedIssuer`](crate::AuthErrorKind::UntrustedIssuer)).
    ///
    /// Default: as the environment variable `PORTCULLIS_PRODUCTION` says (`1` or `true`), and else not.
    pub fn production(mut self) -> Self {
        self.settings.production = true;
        self
    }

    /// Says that routes may let requests without credentials through in
    /// [production](Self::production). Bad credentials are rejected all the same. Default: they may
    /// not.
    pub fn optional_credentials(mut self) -> Self {
        self.settings.optional_credentials = true;
        self
    }

    /// Lets [`Issuer::dangerous_any`] stand in [production](Self::production): for a service that must run
    /// with the settings of another system, which has none for the issuer. An audience is needed all the
    /// same. Default: it is rejected.
    ///
    /// # Security
    ///
    /// Whoever gets a token from any issuer that signs with the same keys, such as another tenant of the
    /// provider, gets in here if the token names the audience.
    pub fn dangerous_any_issuer_in_production(mut self) -> Self {
        self.settings.any_issuer_in_production = true;
        self
    }

    /// Rejects tokens that were revoked before they expired. The tokens of issuers then need a `jti`, unless
    /// [`allow_missing_jti`](Revocations::allow_missing_jti) says otherwise. Callers of strategies are
    /// checked by the claims that the strategy names, and tokens of
    /// [tenants](crate::strategy::Tenants) as those of issuers. Default: no token is revoked.
    ///
    /// [`ready`](Authenticator::ready) waits until the revocations are loaded. Before that, each token is
    /// rejected as [`StoreUnavailable`](crate::AuthErrorKind::StoreUnavailable), 503.
    pub fn revocations(mut self, revocations: Revocations) -> Self {
        self.settings.revocations = Some(revocations);
        self
    }

    /// Where used tokens are remembered, for issuers whose tokens may be [used once](Issuer::one_time).
    /// Default: nowhere, and such an issuer is an error.
    pub fn replay_store(mut self, store: impl ReplayStore + 'static) -> Self {
        self.settings.replay_store = Some(Arc::new(store));
        self
    }

    /// Another engine judges the callers of this one, and has the revocations and the store of used tokens.
    pub(crate) fn inner(mut self) -> Self {
        self.settings.is_inner = true;
        self
    }

    /// Checks the configuration. Nothing is fetched.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that says what to change.
    pub fn build(self) -> Result<Authenticator<G>, ConfigError> {
        let settings = &self.settings;
        let Some(MapError(map)) = settings.map_error.clone() else { return self.build_engine() };
        let audiences = settings.audiences.clone();
        let (production, any_issuer) = (settings.production, settings.any_issuer_in_production);
        let base = move || {
            let mut builder = AuthenticatorBuilder::new();
            builder.settings.audiences.clone_from(&audiences);
            builder.settings.production = production;
            builder.settings.any_issuer_in_production = any_issuer;
            builder
        };
        self.build_engine().map_err(|error| map(error, &base))
    }

    fn build_engine(self) -> Result<Authenticator<G>, ConfigError> {
        let Self { mut settings, grant } = self;
        TokenLocation::check_all(&settings.locations)?;
        let resource_metadata = settings.publish_resource()?;
        settings.challenge.check()?;
        settings.check_one_time()?;
        let cross_site = settings.cross_site_rules()?;
        let challenge = Arc::new(settings.challenge);
        let now = settings.clock.now();
        if settings.issuers.is_empty() && settings.strategies.is_empty() {
            return Err(ConfigError::NoIssuer);
        }
        let production = settings.production || production::is_asked_for_by_environment()?;
        let unfit_for_production =
            production::check(&settings.issuers, settings.any_issuer_in_production).err();
        if let (true, Some(error)) = (production, &unfit_for_production) {
            return Err(error.clone().into());
        }
        if production {
            settings.strategies.iter().try_for_each(|strategy| strategy.check_production())?;
            production::warn_of_loopback(&settings.issuers);
        }
        if let Some(revocations) = &settings.revocations {
            revocations.attach(&settings.clock);
            warn_of_endless_entries(&settings.issuers);
        }
        let info = Arc::new(EngineInfo {
            challenge: Arc::clone(&challenge),
            clock: Arc::clone(&settings.clock),
            grant_type: std::any::type_name::<G>(),
            grant_type_id: TypeId::of::<G>(),
            is_for_production: production,
            unfit_for_production,
            revocations: settings.revocations.clone(),
        });
        let jti_required = settings.revocations.as_ref().is_some_and(Revocations::is_jti_required);
        let require = |issuer: Issuer| if jti_required { issuer.require_jti() } else { issuer };
        let issuers = settings.issuers.into_iter().map(require).collect();
        let issuers = TrustedIssuers::new(issuers, &settings.audiences, &info, now)?;
        let strategies = slots(settings.strategies, settings.before_issuers, &issuers, &info)?;
        let timeout = settings.revocations.as_ref().map_or(TIMEOUT, Revocations::call_timeout);
        let engine = Engine {
            issuers,
            strategies,
            strategy_timeout: settings.strategy_timeout,
            locations: settings.locations,
            multiple_tokens: settings.multiple_tokens,
            cross_site,
            hide: settings.hide,
            max_token_len: settings.max_token_len,
            clock: settings.clock,
            grant,
            challenge,
            known_headers: KnownHeaders::default(),
            resource_metadata,
            anonymous: AnonymousLimit::new(production, settings.optional_credentials),
            tasks: Arc::default(),
            one_time: settings.replay_store.map(|store| OneTimeUse::new(store, timeout)),
            revocations: settings.revocations,
            is_inner: settings.is_inner,
        };
        engine.check_locations(&engine.locations)?;
        Ok(Authenticator::new(engine))
    }
}

impl Settings {
    /// Checks that used tokens can be remembered, and need not be for ever.
    fn check_one_time(&self) -> Result<(), IssuerError> {
        for issuer in self.issuers.iter().filter(|issuer| issuer.is_one_time()) {
            let issuer_name = || issuer.name().to_owned();
            if self.replay_store.is_none() && !self.is_inner {
                return Err(IssuerError::NoReplayStore { issuer: issuer_name() });
            }
            if !issuer.must_expire() {
                return Err(IssuerError::OneTimeWithoutExpiry { issuer: issuer_name() });
            }
        }
        Ok(())
    }

    fn cross_site_rules(&self) -> Result<CrossSiteRules, OriginError> {
        let origins = self.allowed_origins.iter().map(|origin| OriginError::parse(origin));
        Ok(CrossSiteRules {
            allowed_origins: origins.collect::<Result<_, _>>()?,
            public_origin: self.public_origin.as_deref().map(OriginError::parse).transpose()?,
            is_off: self.without_origin_check,
        })
    }

    /// Makes the metadata, and sets what follows from them.
    fn publish_resource(&mut self) -> Result<Option<Arc<ResourceMetadata>>, ConfigError> {
        let Some(resource) = self.resource.take() else { return Ok(None) };
        let metadata = resource.publish(&self.issuers, &self.strategies, &self.locations)?;
        self.audiences.extend_from_slice(metadata.audiences());
        self.challenge.resource_metadata.get_or_insert_with(|| metadata.url().to_owned());
        Ok(Some(Arc::new(metadata)))
    }
}

/// Logs a warning for each issuer without a limit for the lifetime of its tokens: the store fills up.
fn warn_of_endless_entries(issuers: &[Issuer]) {
    #[cfg(feature = "tracing")]
    for issuer in issuers.iter().filter(|issuer| !issuer.has_max_lifetime()) {
        tracing::warn!(
            target: "portcullis::revocation",
            issuer = issuer.name(),
            "revocations of subjects, sessions and clients never expire: set `max_lifetime(…)`"
        );
    }
    #[cfg(not(feature = "tracing"))]
    let _ = issuers;
}

/// Puts the strategies and the issuers in their order. Returns no slots if there are only issuers.
fn slots(
    strategies: Vec<Arc<dyn Strategy>>,
    before_issuers: Option<usize>,
    issuers: &TrustedIssuers,
    info: &Arc<EngineInfo>,
) -> Result<Vec<Slot>, ConfigError> {
    let registered = strategies
        .into_iter()
        .map(|strategy| Ok(Slot::Other(Arc::new(Registered::new(strategy, issuers, info)?))));
    let mut slots = registered.collect::<Result<Vec<_>, ConfigError>>()?;
    if let Some(position) = before_issuers.filter(|_| !slots.is_empty()) {
        slots.insert(position.min(slots.len()), Slot::Jwt);
    }
    Ok(slots)
}
